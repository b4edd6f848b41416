// The report's words with values in their places, numbers and dates as the rest of the page writes them.

class Wording {
  constructor(words) {
    this.words = words;
    this.figures = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
  }

  number(value) {
    return this.figures.format(value).replaceAll(",", this.words["number.thousands"]).replace("-", "−");
  }

  say(key, values = {}) {
    return this.words[key].replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
  }

  // "1 comment" and "2 comments" are two keys; a language without the difference writes the same twice.
  count(key, n, values = {}) {
    const one = `${key}.one`;
    return this.say(n === 1 && one in this.words ? one : key, { n: this.number(n), ...values });
  }

  when(minutes, precision) {
    const [year, month, day, time] = new Date(minutes * 60_000).toISOString().match(/^(.+)-(..)-(..)T(.....)/).slice(1);
    const named = { year, month: this.words[`month.${Number(month)}`] };
    if (precision === 4) return this.say("date.month", named);
    const date = this.say("date.day", { ...named, day: String(Number(day)) });
    if (precision === 1) return this.say("date.time", { day: date, time });
    return precision === 3 ? this.say("date.about", { date }) : date;
  }

  machine(minutes, precision) {
    const text = new Date(minutes * 60_000).toISOString();
    return precision === 1 ? `${text.slice(0, 16)}Z` : text.slice(0, precision === 4 ? 7 : 10);
  }
}
