"""What users of other templates type for heads, merges and branches: see `typed_commands.toml`."""

import pytest

from support.projects import INITIAL, PRODUCT, Project, ok, refusal
from support.typed import MODEL, Typed, identifier, newest, parents

pytestmark = [pytest.mark.slow, pytest.mark.first_on("postgresql")]


def fork(project: Project) -> tuple[str, str]:
    """Two revisions on top of the first one; their identifiers."""
    ok(project.alembic("revision", "-m", "left"))
    ok(project.alembic("revision", "-m", "right", "--head", INITIAL, "--splice"))
    return identifier(newest(project, "left")), identifier(newest(project, "right"))


def test_two_heads_are_merged_by_name_or_all_at_once(sqlite_project: Project, typed: Typed) -> None:
    project = sqlite_project
    one, two = fork(project)
    assert "several heads" in refusal(typed(project, "alembic upgrade head"))
    ok(typed(project, f'alembic merge -m "merge branches" {one} {two}'))
    merge = newest(project, "merge_branches")
    assert parents(merge) == {one, two}
    ok(typed(project, "alembic upgrade head"))
    assert project.version() == [identifier(merge)]

    ok(typed(project, f'alembic revision -m "third" --head={INITIAL} --splice'))
    ok(typed(project, 'alembic merge heads -m "Merge migrations"'))
    assert parents(newest(project, "merge_migrations")) == {
        identifier(merge),
        identifier(newest(project, "third")),
    }
    ok(typed(project, "alembic upgrade head"))
    assert project.version() == [identifier(newest(project, "merge_migrations"))]


def test_a_step_down_from_a_merge_names_a_parent(sqlite_project: Project, typed: Typed) -> None:
    project = sqlite_project
    one, two = fork(project)
    ok(typed(project, "alembic merge heads -m joined"))
    merge = identifier(newest(project, "joined"))
    ok(typed(project, 'alembic revision -m "on top"'))
    ok(typed(project, "alembic upgrade head"))
    for target in ("-2", "head-2", f"{merge[:6]}-1"):
        line = refusal(typed(project, f"make migration-down REV={target}"))
        assert "a step down from a merge leads two ways" in line
    assert "a step down from a merge" not in refusal(project.alembic("downgrade", "base-9"))
    ok(typed(project, "make migration-down"))
    assert "a step down from a merge" in refusal(typed(project, "make migration-down"))
    ok(typed(project, f"make migration-down REV={one}"))
    assert sorted(project.version()) == sorted([one, two])


def test_a_branch_begins_at_a_revision_and_has_a_label(sqlite_project: Project, typed: Typed) -> None:
    project = sqlite_project
    ok(typed(project, 'alembic revision -m "Branch point" --branch-label mybranch'))
    point = newest(project, "branch_point")
    assert "mybranch" in typed(project, "alembic heads").stdout

    project.write(MODEL, PRODUCT)
    label = "--head=head --branch-label=feature"
    ok(typed(project, f'alembic revision --autogenerate -m "Feature branch" {label}'))
    feature = newest(project, "feature_branch")
    assert parents(feature) == {identifier(point)}

    older = f'alembic revision -m "main work" --head={INITIAL} --branch-label=main'
    assert "--splice" in refusal(typed(project, older))
    assert project.revisions("main_work") == []
    ok(typed(project, f"{older} --splice"))
    ok(typed(project, "alembic upgrade feature@head"))
    assert "products" in project.tables()
    assert project.version() == [identifier(feature)]

    ok(typed(project, 'alembic merge -m "Merge feature" feature main'))
    assert parents(newest(project, "merge_feature")) == {
        identifier(feature),
        identifier(newest(project, "main_work")),
    }
    ok(typed(project, "alembic upgrade head"))
    assert project.version() == [identifier(newest(project, "merge_feature"))]


def test_a_revision_on_the_present_head_may_name_it(sqlite_project: Project, typed: Typed) -> None:
    project = sqlite_project
    ok(typed(project, f'alembic revision -m "feature branch" --head={INITIAL}'))
    assert parents(newest(project, "feature_branch")) == {INITIAL}
