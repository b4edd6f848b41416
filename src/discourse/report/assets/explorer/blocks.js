// Packed blocks of this file, unpacked without a request: base64 by the browser, then raw deflate (RFC 1951).

const bytesOf = base64 => {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64);
  const letters = atob(base64);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i += 1) bytes[i] = letters.charCodeAt(i);
  return bytes;
};

const inflated = async element => {
  const packed = new Blob([bytesOf(element.textContent.trim())]).stream();
  return new Response(packed.pipeThrough(new DecompressionStream("deflate-raw"))).arrayBuffer();
};

const inflatedJson = async element => JSON.parse(new TextDecoder().decode(await inflated(element)));

// Work is cut in slices, so that typing and scrolling never wait for it.
const SLICE = 6;
const pause = () => {
  if (globalThis.scheduler?.yield) return scheduler.yield();
  return new Promise(done => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => { port1.close(); done(); };
    port2.postMessage(0);
  });
};
