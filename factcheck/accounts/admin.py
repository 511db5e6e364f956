from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import UserChangeForm
from django.contrib.auth.models import Group
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from factcheck.accounts.models import Role, User
from factcheck.accounts.permissions import Act, may
from factcheck.accounts.services import record_new_person

if TYPE_CHECKING:
    _UserChangeForm = UserChangeForm[User]
    _UserAdmin = UserAdmin[User]
    _ModelForm = forms.ModelForm[User]
else:
    # Generic for the type checker only.
    _UserChangeForm, _UserAdmin, _ModelForm = UserChangeForm, UserAdmin, forms.ModelForm


class PersonForm(_UserChangeForm):
    def clean_is_active(self) -> bool:
        is_active: bool = self.cleaned_data["is_active"]
        others = User.objects.filter(role=Role.ADMIN, is_active=True).exclude(pk=self.instance.pk)
        if not is_active and self.instance.role == Role.ADMIN and not others.exists():
            raise forms.ValidationError(_("This is the last administrator: make somebody else one first."))
        return is_active


# Roles are ours; groups would promise permissions that nothing asks for.
admin.site.unregister(Group)


@admin.register(User)
class PersonAdmin(_UserAdmin):
    """Accounts are opened and closed here. Roles are given on the desk's page of people, which records it."""

    form = PersonForm
    list_display = ("username", "name", "role", "is_active", "last_login")
    list_filter = ("role", "is_active")
    search_fields = ("username", "name")
    ordering = ("username",)
    filter_horizontal = ()
    readonly_fields = ("role", "last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("As readers see it"), {"fields": ("name",)}),
        (_("On the desk"), {"fields": ("role", "is_active", "last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("username", "name", "password1", "password2")}),)

    def save_model(self, request: HttpRequest, obj: User, form: _ModelForm, change: bool) -> None:
        with transaction.atomic():
            super().save_model(request, obj, form, change)
            if not change:
                assert isinstance(request.user, User)
                record_new_person(obj, by=request.user)

    # The one permission table is that of accounts.permissions; Django's own permissions play no part.
    def has_module_permission(self, request: HttpRequest) -> bool:
        return isinstance(request.user, User) and may(request.user, Act.MANAGE_PEOPLE)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_module_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # The ledger names people by id: an account is closed, never deleted.
        return False
