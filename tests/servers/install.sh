#!/bin/sh
# Install what tests/servers starts, from pip and apt; what cannot be had is said, and its tests are skipped.
# Usage: install.sh PYTHON, from the root of the checkout.
set -u
lock=requirements-servers.lock

isso_and_xtd() {
  [ .venv/installed-servers -nt "$lock" ] && return
  "$1" -m venv .venv/servers \
    && .venv/servers/bin/pip install --quiet --disable-pip-version-check -r "$lock" \
    && touch .venv/installed-servers
}

php_and_mariadb() {
  command -v mariadbd >/dev/null && command -v php >/dev/null && php -m | grep -q mysqli && return
  command -v apt-get >/dev/null && [ "$(id -u)" = 0 ] || return
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    php-cli php-mysql mariadb-server-core mariadb-client-core >/dev/null
}

# Unpacked only: installing it would also install and start a web server.
wordpress() {
  [ -d .venv/wordpress/usr/share/wordpress ] && return
  command -v apt-get >/dev/null || return
  rm -rf .venv/wordpress && mkdir -p .venv/wordpress && cd .venv/wordpress || return
  apt-get download -qq wordpress 2>/dev/null || { apt-get update -qq && apt-get download -qq wordpress; } || return
  dpkg -x wordpress_*.deb . && rm wordpress_*.deb
}

isso_and_xtd "$1" || echo "no Isso and django-comments-xtd can be installed: their tests will be skipped"
php_and_mariadb || echo "no PHP and MariaDB here and none can be installed: the tests on WordPress will be skipped"
(wordpress) || echo "no WordPress can be downloaded: the tests on it will be skipped"
