"""A small Django site with django-comments-xtd, run by the servers' own interpreter: `xtd_site.py FOLDER PORT`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command
from django.urls import include, path

FOLDER = Path(sys.argv[1])
PORT = sys.argv[2]
PASSWORD = "lamp-post"  # noqa: S105 - of a site that lives as long as the test
# As the site's templates would have them.
TEMPLATES = {
    "page.html": (
        "<h1>{{ flatpage.title }}</h1><p>{{ flatpage.content }}</p>"
        '<script>window.props = {{ props|safe }}</script><div id="comments"></div>'
    ),
    "base.html": "<!doctype html><body>{% block content %}{% endblock %}</body>",
}

settings.configure(
    SECRET_KEY="tests only",  # noqa: S106 - see PASSWORD
    DEBUG=True,
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    SITE_ID=1,
    USE_TZ=True,
    TIME_ZONE="Europe/Berlin",
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": FOLDER / "site.db"}},
    INSTALLED_APPS=[
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
        "django.contrib.sites",
        "django.contrib.flatpages",
        "rest_framework",
        "django_comments_xtd",
        "django_comments",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "DIRS": [FOLDER / "templates"],
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
    COMMENTS_APP="django_comments_xtd",
    COMMENTS_XTD_CONFIRM_EMAIL=False,
    COMMENTS_XTD_MAX_THREAD_LEVEL=6,
    COMMENTS_XTD_APP_MODEL_OPTIONS={
        "default": {"allow_flagging": True, "allow_feedback": True, "show_feedback": True, "who_can_post": "all"}
    },
    EMAIL_BACKEND="django.core.mail.backends.dummy.EmailBackend",
)
django.setup()

from django.contrib import admin  # noqa: E402 - needs the settings
from django.contrib.auth.models import User  # noqa: E402
from django.contrib.flatpages.models import FlatPage  # noqa: E402
from django.contrib.sites.models import Site  # noqa: E402
from django.shortcuts import get_object_or_404, render  # noqa: E402
from django_comments_xtd.api.frontend import commentbox_props  # noqa: E402
from django_comments_xtd.moderation import XtdCommentModerator, moderator  # noqa: E402


class Moderator(XtdCommentModerator):
    """Holds comments in which the word spam stands."""

    def moderate(self, comment: Any, content_object: Any, request: Any) -> bool:
        del content_object, request
        return "spam" in comment.comment


moderator.register(FlatPage, Moderator)


def page(request: Any, pk: int) -> Any:
    """Show an article with the settings of its comment box, as the documentation has it."""
    found = get_object_or_404(FlatPage, pk=pk)
    props = json.dumps(commentbox_props(found, request.user, request))
    return render(request, "page.html", {"flatpage": found, "props": props})


urlpatterns = [
    path("admin/", admin.site.urls),
    path("comments/", include("django_comments_xtd.urls")),
    path("pages/<int:pk>/", page),
]

if __name__ == "__main__":
    for name, text in TEMPLATES.items():
        place = FOLDER / "templates" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    call_command("migrate", verbosity=0)
    Site.objects.update_or_create(pk=1, defaults={"domain": f"127.0.0.1:{PORT}", "name": "Lamp News"})
    User.objects.create_superuser("moderator", "m@example.org", PASSWORD)
    FlatPage.objects.create(url="/lamps/", title="Lamps on Mill Lane", content="The council wants lamps.")
    call_command("runserver", f"127.0.0.1:{PORT}", use_reloader=False, verbosity=0)
