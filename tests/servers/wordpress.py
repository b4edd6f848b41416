"""A real WordPress on MariaDB, whose thread was written, moderated and trashed through its REST interface."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx2
import pytest
from tests.servers.process import free_port, listens, program, running
from tests.servers.truth import Known

from discourse.tables import State

_SOURCE = Path(__file__).resolve().parents[2] / ".venv" / "wordpress" / "usr" / "share" / "wordpress"
_CONFIG = """<?php
define('DB_NAME', 'wordpress'); define('DB_USER', 'root'); define('DB_PASSWORD', '');
define('DB_HOST', 'localhost:{socket}'); define('DB_CHARSET', 'utf8mb4'); define('DB_COLLATE', '');
foreach (['AUTH', 'SECURE_AUTH', 'LOGGED_IN', 'NONCE'] as $name) {{
    define($name . '_KEY', 'tests only ' . $name); define($name . '_SALT', 'tests only too ' . $name);
}}
$table_prefix = 'wp_';
define('WP_HOME', '{address}'); define('WP_SITEURL', '{address}');
define('WP_ENVIRONMENT_TYPE', 'local');
define('DISABLE_WP_CRON', true); define('WP_HTTP_BLOCK_EXTERNAL', true);
if (!defined('ABSPATH')) {{ define('ABSPATH', __DIR__ . '/'); }}
require_once ABSPATH . 'wp-settings.php';
"""
_CLOSED = """<?php add_filter('rest_authentication_errors', function ($found) {
    return is_user_logged_in() ? $found : new WP_Error('rest_not_logged_in', 'Log in.', ['status' => 401]);
});"""
# Debian brings no theme of itself.
_THEME = {
    "style.css": "/* Theme Name: Lamps */",
    "index.php": """<?php ?><!DOCTYPE html><html lang="en"><head><title><?php wp_title(''); ?></title>
<?php wp_head(); ?></head><body <?php body_class(); ?>><?php while (have_posts()) { the_post(); ?>
<article <?php post_class(); ?>><h1><?php the_title(); ?></h1><?php the_content(); ?></article>
<?php comments_template(); } wp_footer(); ?></body></html>""",
    "comments.php": """<?php ?><div id="comments"><ol class="comment-list"><?php wp_list_comments(); ?></ol>
<?php the_comments_pagination(); comment_form(); ?></div>""",
}


class WordPress:
    """A client of the site that does what readers and the editor do."""

    def __init__(self, address: str, login: dict[str, str], folder: Path) -> None:
        self.address = address
        self.known: list[Known] = []
        self.post = ""
        self.page = ""
        self._folder = folder
        self._editor = httpx2.Client(base_url=f"{address}/wp-json/wp/v2", auth=(login["user"], login["password"]),
                                     timeout=60)  # fmt: skip

    def close(self) -> None:
        """Close the connections."""
        self._editor.close()

    def publish(self, title: str, content: str) -> None:
        """Write the post under which the comments stand."""
        made = self._send("/posts", title=title, content=content, status="publish", comment_status="open")
        self.post, self.page = str(made["id"]), str(made["link"])

    def write(self, text: str, author: str, parent: str | None = None, **fields: Any) -> str:
        """Write a comment; return its id."""
        email = f"{author.lower()}@example.org"
        made = self._send("/comments", post=int(self.post), content=text, author_name=author, author_email=email,
                          parent=int(parent or 0), **fields)  # fmt: skip
        return str(made["id"])

    def edit(self, native_id: str, **fields: Any) -> None:
        """Change a comment's content or status."""
        self._send(f"/comments/{native_id}", **fields)

    def trash(self, native_id: str) -> None:
        """Put a comment into the trash; the replies to it stay."""
        self._editor.delete(f"/comments/{native_id}").raise_for_status()

    def ping(self, title: str) -> None:
        """Let another site's link stand among the comments, as pingbacks do."""
        record = (
            f"['comment_post_ID' => {self.post}, 'comment_author' => '{title}', 'comment_content' => '[...] lamps',"
        )
        script = f"wp_insert_comment({record} 'comment_type' => 'pingback', 'comment_approved' => 1]);"
        _php("-r", f"require '{self._folder}/wp-load.php'; {script}")

    @contextmanager
    def closed(self) -> Iterator[None]:
        """Close the REST interface to all who are not logged in, as many sites do, until the block is left."""
        plugin = self._folder / "wp-content" / "mu-plugins" / "closed.php"
        plugin.parent.mkdir(exist_ok=True)
        plugin.write_text(_CLOSED, encoding="utf-8")
        try:
            yield
        finally:
            plugin.unlink()

    def export(self) -> bytes:
        """Return the site's own export of its posts (WXR)."""
        script = "require ABSPATH . 'wp-admin/includes/export.php'; export_wp(['content' => 'post']);"
        return _php("-r", f"require '{self._folder}/wp-load.php'; {script}").encode()

    def counts(self) -> dict[str, int]:
        """Return how many comments the site counts under the post, by status."""
        script = f"require '{self._folder}/wp-load.php'; echo json_encode(wp_count_comments({self.post}));"
        return {name: int(number) for name, number in json.loads(_php("-r", script)).items()}

    def _send(self, path: str, **fields: Any) -> dict[str, Any]:
        answer = self._editor.post(path, json=fields)
        assert answer.status_code in {200, 201}, answer.text
        return dict(answer.json())


def _php(*arguments: str | Path) -> str:
    command = [program("php"), "-d", "error_log=", *map(str, arguments)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def wordpress(folder: Path) -> Iterator[WordPress]:
    """Start the site with one post: 127 comments in two pages, one trashed, one held, spam and a pingback."""
    if not (_SOURCE / "wp-load.php").exists():
        pytest.skip("no WordPress here: run `make servers` where apt is at hand")
    php, port = program("php"), free_port()
    address = f"http://127.0.0.1:{port}"
    site = folder / "site"
    with _database(folder) as socket:
        shutil.copytree(_SOURCE, site, ignore_dangling_symlinks=True)
        (site / "wp-config.php").write_text(_CONFIG.format(socket=socket, address=address), encoding="utf-8")
        theme = site / "wp-content" / "themes" / "lamps"
        theme.mkdir(parents=True)
        for name, text in _THEME.items():
            (theme / name).write_text(text, encoding="utf-8")
        login = json.loads(_php(Path(__file__).with_name("wordpress_setup.php"), site, address).splitlines()[-1])
        command = [php, "-d", "opcache.enable_cli=1", "-S", f"127.0.0.1:{port}", "-t", site]
        with running(command, lambda: listens(port), folder / "php.log", {"PHP_CLI_SERVER_WORKERS": "2"}):
            server = WordPress(address, login, site)
            try:
                _fill(server)
                yield server
            finally:
                server.close()


@contextmanager
def _database(folder: Path) -> Iterator[Path]:
    """Start MariaDB with an empty database, reached by a socket only."""
    install, server = program("mariadb-install-db"), program("mariadbd")
    data = folder / "database"
    # A socket's path has room for a hundred characters only.
    with TemporaryDirectory(prefix="db") as short:
        socket = Path(short) / "db"
        as_root: Sequence[str] = ("--user=root",) if os.geteuid() == 0 else ()
        made = subprocess.run(
            [install, "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal",
             "--skip-test-db", *as_root],
            check=False, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert made.returncode == 0, made.stdout + made.stderr
        first = folder / "first.sql"
        first.write_text("CREATE DATABASE wordpress;", encoding="utf-8")
        command = [server, "--no-defaults", f"--datadir={data}", f"--socket={socket}", "--skip-networking",
                   f"--pid-file={folder / 'pid'}", f"--init-file={first}", "--innodb-flush-log-at-trx-commit=0",
                   "--skip-log-bin", *as_root]  # fmt: skip
        with running(command, socket.exists, folder / "database.log"):
            yield socket


def _fill(site: WordPress) -> None:
    known: dict[str, Known] = {}

    def write(text: str, author: str, parent: str | None = None) -> str:
        native_id = site.write(text, author, parent)
        known[native_id] = Known(native_id, parent, author, text)
        return native_id

    site.publish("Lamps on Mill Lane", "<p>The council wants lamps with cameras.</p>")
    first = write("The lamps on Mill Lane shine into bedrooms.", "Ada")
    above = first
    for level, author in enumerate(("Bo", "Chi", "Dora", "Eva"), 1):
        above = write(f"A reply at level {level}, with 漢字.", author, above)
    for number in range(120):
        write(f"Comment number {number} on the price of lamps.", "Fay")
    trashed = write("This one is put into the trash and has a reply.", "Gus", first)
    write("I answer what is in the trash.", "Hal", trashed)
    edited = write("This one is changed.", "Ida", first)
    held = [site.write("A held comment.", "Jon", first, status="hold"), site.write("Spam.", "Kim", status="spam")]
    site.edit(edited, content="This one was changed.")
    site.trash(trashed)
    site.ping("Lamps elsewhere")
    known[edited] = Known(edited, first, "Ida", "This one was changed.")
    known[trashed] = Known(trashed, first, "Gus", None, State.REMOVED, listed=False)
    known[held[0]] = Known(held[0], first, "Jon", "A held comment.", State.HELD, listed=False)
    known[held[1]] = Known(held[1], None, "Kim", None, State.REMOVED, listed=False)
    site.known = list(known.values())
