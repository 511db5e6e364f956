from typing import Any

from django.contrib import messages
from django.db.models import Exists, OuterRef
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from factcheck.accounts.permissions import Act
from factcheck.desk import stale
from factcheck.desk.forms.ratings import RatingForm, rating_initial
from factcheck.desk.http import DeskRequest, desk_view
from factcheck.lib.errors import FactcheckError, StaleVersion
from factcheck.verdicts.models import Rating
from factcheck.verdicts.services import save_rating


@desk_view()
@require_safe
def ratings(request: DeskRequest) -> HttpResponse:
    newer = Rating.objects.filter(slug=OuterRef("slug"), version__gt=OuterRef("version"))
    retired = Rating.objects.filter(~Exists(newer), retired=True).order_by("order", "slug")
    context = {"ratings": list(Rating.objects.current()), "retired": list(retired)}
    return render(request, "desk/ratings/list.html", context)


@desk_view(Act.EDIT_RATINGS)
@require_http_methods(["GET", "HEAD", "POST"])
def rating_new(request: DeskRequest) -> HttpResponse:
    if request.method != "POST":
        last = Rating.objects.current().last()
        form = RatingForm(initial={"order": last.order + 1 if last else 1, "needs_evidence": True})
        return render(request, "desk/ratings/edit.html", {"form": form, "rating": None})
    form = RatingForm(request.POST)
    if form.is_valid():
        try:
            rating = save_rating("", form.draft(), version=None, by=request.user)
        except FactcheckError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("“%(label)s” is in the scale.") % {"label": rating.label})
            return redirect("desk:ratings")
    return render(request, "desk/ratings/edit.html", {"form": form, "rating": None}, status=422)


@desk_view(Act.EDIT_RATINGS)
@require_http_methods(["GET", "HEAD", "POST"])
def rating(request: DeskRequest, slug: str) -> HttpResponse:
    current = _latest(slug)
    context: dict[str, Any] = {
        "rating": current,
        "versions": list(Rating.objects.filter(slug=slug).select_related("made_by").order_by("-version")),
    }
    if request.method != "POST":
        form = RatingForm(initial=rating_initial(current))
        return render(request, "desk/ratings/edit.html", context | {"form": form})
    form = RatingForm(request.POST)
    if form.is_valid():
        try:
            save_rating(slug, form.draft(), version=form.cleaned_data["version"], by=request.user)
        except StaleVersion as refusal:
            current = _latest(slug)
            form.add_error(None, str(refusal))
            context["differences"] = stale.differences(form, rating_initial(current))
            stale.refresh(form, version=current.version)
        except FactcheckError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(
                request, _("Saved as a new version: verdicts keep the meaning under which they were given.")
            )
            return redirect("desk:ratings")
    return render(request, "desk/ratings/edit.html", context | {"form": form}, status=422)


def _latest(slug: str) -> Rating:
    found = Rating.objects.filter(slug=slug).order_by("-version").first()
    if found is None:
        raise Http404
    return found
