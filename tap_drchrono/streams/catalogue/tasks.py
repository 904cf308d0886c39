"""The to-do lists of a practice."""

from __future__ import annotations

import typing as t

from tap_drchrono.endpoints import Group
from tap_drchrono.streams.plain import PlainStream


class TasksStream(PlainStream):
    """To-do items of the practice."""

    name = "tasks"
    group = Group.TASKS
    replication_key = "updated_at"
    since = "since"
    archived = True
    verbose = True
    scopes = frozenset({"tasks:read"})
    joins: t.ClassVar = {
        "category": "task_categories",
        "status": "task_statuses",
        "assignee_user": "users",
        "assignee_group": "user_groups",
        "assigned_by": "users",
        "created_by": "users",
        "notes.id": "task_notes",
        "notes.task": "tasks",
        "notes.created_by": "users",
        "associated_items.task": "tasks",
    }


class TaskCategoriesStream(PlainStream):
    """Kinds of tasks; names behind `tasks.category`."""

    name = "task_categories"
    group = Group.TASKS
    replication_key = "updated_at"
    since = "since"
    archived = True
    scopes = frozenset({"tasks:read"})


class TaskStatusesStream(PlainStream):
    """States of tasks; names behind `tasks.status`."""

    name = "task_statuses"
    group = Group.TASKS
    replication_key = "updated_at"
    since = "since"
    archived = True
    scopes = frozenset({"tasks:read"})
    joins: t.ClassVar = {"task_category": "task_categories"}


class TaskNotesStream(PlainStream):
    """Notes on tasks."""

    name = "task_notes"
    group = Group.TASKS
    replication_key = "updated_at"
    since = "since"
    archived = True
    scopes = frozenset({"tasks:read"})
    joins: t.ClassVar = {"task": "tasks", "created_by": "users"}


class UserGroupsStream(PlainStream):
    """Groups of users that tasks are assigned to."""

    name = "user_groups"
    group = Group.TASKS
    replication_key = "updated_at"
    archived = True
    joins: t.ClassVar = {"members": "users"}
