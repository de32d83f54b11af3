"""Layouts, aliasing, sizes and errors of the buffer registry."""

from __future__ import annotations

import doctest
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwe.workloads.registry import registry as registry_module
from mwe.workloads.registry.buffers import CUDABuffer
from mwe.workloads.registry.groups import BufferGroup
from mwe.workloads.registry.registry import BufferRegistry, buffer_registry

PARENT = object()


def group_of(*buffers):
    """Return a group with buffers given as name, size, location and settings."""
    group = BufferGroup(PARENT)
    for name, size, location, *settings in buffers:
        group.register(name, size, location, **(settings[0] if settings else {}))
    return group


def pairs(layout):
    """Return a layout's slices as pairs."""
    return [(place.start, place.stop) for place in layout.values()]


ALIAS = {"aliases": "parent"}


@pytest.mark.parametrize(
    ("buffers", "expected", "size"),
    [
        (
            [("parent", 100, "shared"), ("child", 30, "shared", ALIAS)],
            [(0, 100), (0, 30)],
            100,
        ),
        (
            [("parent", 100, "shared"), *((f"c{i}", 40, "shared", ALIAS) for i in range(3))],
            [(0, 100), (0, 40), (40, 80), (100, 140)],
            140,
        ),
        ([("parent", 50, "shared"), ("child", 80, "shared", ALIAS)], [(0, 50), (50, 130)], 130),
        ([("parent", 100, "local"), ("child", 30, "shared", ALIAS)], [(0, 30)], 30),
        ([("parent", 0, "shared"), ("child", 30, "shared", ALIAS)], [(0, 0), (0, 30)], 30),
        ([("parent", 100, "shared"), ("child", 30, "local", ALIAS)], [(0, 100), (0, 30)], 100),
        # The source that says it does not fit is wrong.
        ([("parent", 100, "shared"), ("child", 80, "shared", ALIAS)], [(0, 100), (0, 80)], 100),
        (
            [
                ("parent", 100, "shared"),
                ("child", 40, "shared", ALIAS),
                ("grandchild", 10, "shared", {"aliases": "child"}),
            ],
            [(0, 100), (0, 40), (0, 10)],
            100,
        ),
    ],
)
def test_the_shared_layouts_of_the_requirements(buffers, expected, size):
    """Each row of the requirements holds exactly, and a buffer that is a slice is nowhere else."""
    group = group_of(*buffers)
    layout = group.build_shared_layout()
    assert pairs(layout) == expected
    assert group.shared_buffer_size() == size
    assert not layout.keys() & group.build_local_sizes().keys()
    assert not layout.keys() & group.build_persistent_layout().keys()


def test_a_persistent_child_that_fits_does_not_grow_the_persistent_array():
    """A child that fits is a slice of its parent; one that does not fit is appended."""
    persistent = {"persistent": True}
    group = group_of(
        ("parent", 50, "local", persistent),
        ("child", 30, "local", {**persistent, **ALIAS}),
        ("other", 30, "local", {**persistent, **ALIAS}),
    )
    assert pairs(group.build_persistent_layout()) == [(0, 50), (0, 30), (50, 80)]
    assert group.persistent_local_buffer_size() == 80
    assert group.shared_buffer_size() == 0


def test_a_slice_has_the_precision_of_its_parent():
    """A child of another precision is allocated by its own settings."""
    double = {"aliases": "parent", "precision": np.float64}
    group = group_of(("parent", 100, "shared"), ("child", 30, "local", double))
    assert group.build_local_sizes() == {"child": 30}
    assert list(group.build_shared_layout()) == ["parent"]


def test_local_buffers_have_at_least_one_element():
    """A local buffer of no elements gets one, and the sizes of local buffers add up."""
    group = group_of(("a", 0, "local"), ("b", 7, "local"))
    assert group.build_local_sizes() == {"a": 1, "b": 7}
    assert group.local_buffer_size() == 8


def test_an_alias_of_a_local_array_is_an_array_of_its_own():
    """A buffer cannot be a slice of a local array, because its allocator never sees that array."""
    group = group_of(("parent", 10, "local"), ("child", 5, "local", ALIAS))
    assert group.build_local_sizes() == {"parent": 10, "child": 5}


def test_layouts_are_kept_until_something_changes():
    """A change drops the layouts; changing a copy that was handed out changes nothing."""
    group = group_of(("a", 10, "shared"))
    first = group._lay_out()
    group.build_shared_layout().clear()
    assert group._lay_out() is first
    assert group.shared_buffer_size() == 10
    group.update_buffer("a", size=20)
    assert group.shared_buffer_size() == 20
    group.register("b", 5, "shared")
    assert group.shared_buffer_size() == 25
    group.clear_layout()
    assert group._layouts is None


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"name": ""}, "not empty"),
        ({"name": None}, "must be text"),
        ({"name": 5}, "must be text"),
        ({"name": ["b"]}, "must be text"),
        ({"aliases": 5}, "must be a name or None"),
        ({"aliases": ""}, "'', which is not registered"),
        ({"persistent": "no"}, "persistent is 'no', must be True or False"),
        ({"persistent": 1}, "must be True or False"),
        ({"persistent": None}, "must be True or False"),
        ({"aliases": "x", "name": "x"}, "cannot alias itself"),
        ({"aliases": "nobody"}, "'nobody', which is not registered"),
        ({"name": "a"}, "'a' already"),
        ({"size": -1}, "must be 0 or more"),
        ({"size": 1.5}, "whole number"),
        ({"size": True}, "whole number"),
        ({"location": "global"}, "must be one of shared, local"),
        ({"precision": np.int32}, "NumPy float type"),
        ({"precision": None}, "NumPy float type"),
        ({"precision": "nonsense"}, "NumPy float type"),
    ],
)
def test_what_makes_no_sense_is_refused(settings, message):
    """A buffer with a senseless setting is refused in words, and is not registered."""
    group = group_of(("a", 10, "shared"))
    arguments = {"name": "b", "size": 5, "location": "shared", **settings}
    with pytest.raises(ValueError, match=message):
        group.register(
            arguments.pop("name"), arguments.pop("size"), arguments.pop("location"), **arguments
        )
    assert list(group.build_shared_layout()) == ["a"]


def test_updates_are_checked_like_registrations():
    """An update of an unknown buffer or setting, a circle or a new name is refused."""
    group = group_of(("a", 10, "shared"), ("b", 5, "shared", {"aliases": "a"}))
    with pytest.raises(KeyError, match="no buffer 'c'"):
        group.update_buffer("c", size=1)
    with pytest.raises(ValueError, match="in a circle"):
        group.update_buffer("a", aliases="b")
    with pytest.raises(TypeError, match="colour"):
        group.update_buffer("a", colour="red")
    with pytest.raises(ValueError, match="keeps its name"):
        group.update_buffer("a", name="z")
    with pytest.raises(ValueError, match="cannot alias itself"):
        group.update_buffer("a", aliases="a")
    with pytest.raises(ValueError, match="must be True or False"):
        group.update_buffer("a", persistent="no")
    assert group.shared_buffer_size() == 10


def test_an_alias_may_name_a_buffer_that_is_registered_later():
    """An update may alias a buffer that was registered later; the target is placed first."""
    group = group_of(("child", 5, "shared"), ("parent", 10, "shared"))
    group.update_buffer("child", aliases="parent")
    assert group.build_shared_layout() == {"parent": slice(0, 10), "child": slice(0, 5)}


@pytest.mark.parametrize("step", [-1, 1])
def test_a_chain_of_aliases_may_be_long(step):
    """A chain of 1,500 aliases, of earlier or of later buffers, has a layout."""
    n_buffers = 1500
    group = group_of(*((f"b{number}", 10, "shared") for number in range(n_buffers)))
    for number in range(n_buffers)[::-step]:
        if 0 <= number + step < n_buffers:
            group.update_buffer(f"b{number}", aliases=f"b{number + step}")
    assert set(pairs(group.build_shared_layout())) == {(0, 10)}
    assert group.shared_buffer_size() == 10


def test_the_example_of_the_registry_is_right():
    """What a docstring shows of the shared registry is what happens."""
    assert isinstance(buffer_registry, BufferRegistry)
    results = doctest.testmod(registry_module)
    assert results.attempted > 0
    assert results.failed == 0


def test_the_registry_finds_the_group_of_a_parent():
    """Two parents with buffers of the same names do not meet, however equal the parents are."""
    registry = BufferRegistry()
    first, second = [], []
    registry.register(first, "a", 10, "shared")
    registry.register(second, "a", 20, "local", persistent=True)
    registry.register(second, "b", 3, "local")
    assert registry.shared_buffer_size(first) == 10
    assert registry.shared_buffer_size(second) == 0
    assert registry.persistent_local_buffer_size(second) == 20
    assert registry.local_buffer_size(second) == 3
    registry.update_buffer(first, "a", size=11)
    registry.clear_layout(first)
    assert registry.shared_buffer_size(first) == 11
    registry.clear_parent(first)
    assert registry.shared_buffer_size(first) == 0


def test_a_parent_without_buffers_has_sizes_of_zero_and_no_allocators():
    """Sizes and clearing work for an unknown parent; an allocator or an update is a KeyError."""
    registry = BufferRegistry()
    assert registry.shared_buffer_size(PARENT) == 0
    assert registry.local_buffer_size(PARENT) == 0
    assert registry.persistent_local_buffer_size(PARENT) == 0
    registry.clear_layout(PARENT)
    registry.clear_parent(PARENT)
    for call in (registry.get_allocator, registry.update_buffer):
        with pytest.raises(KeyError, match="no buffer 'a'"):
            call(PARENT, "a")
    registry.register(PARENT, "a", 1, "shared")
    with pytest.raises(KeyError, match="no buffer 'b'"):
        registry.get_allocator(PARENT, "b")


def test_a_refused_registration_leaves_no_parent_behind():
    """A parent whose first buffer was refused is as unknown as before."""
    registry = BufferRegistry()
    with pytest.raises(ValueError, match="not empty"):
        registry.register(PARENT, "", 1, "shared")
    with pytest.raises(KeyError):
        registry.update_buffer(PARENT, "a")


def test_a_buffer_knows_no_owner():
    """A buffer holds its settings and nothing else, and needs a place to build an allocator."""
    buffer = CUDABuffer(name="a", size=1, location="shared")
    assert set(vars(buffer)) == {"name", "size", "location", "persistent", "aliases", "precision"}
    with pytest.raises(ValueError, match="no slice and no local size"):
        buffer.build_allocator(None, None, None)


@st.composite
def groups(draw):
    """Draw a group with aliases of earlier buffers; return it and its buffers by name."""
    group, buffers = BufferGroup(PARENT), {}
    for number in range(draw(st.integers(1, 8))):
        name, aliases = f"b{number}", draw(st.sampled_from([None, *buffers]))
        buffers[name] = group.register(
            name,
            draw(st.integers(0, 40)),
            draw(st.sampled_from(["shared", "local"])),
            persistent=draw(st.booleans()),
            aliases=aliases,
            precision=draw(st.sampled_from([np.float32, np.float64])),
        )
    return group, buffers


def hand_out_addresses(buffers):
    """Lay buffers out element by element; return each one's memory and addresses.

    This shares nothing with the registry: an address is one element, a buffer has a list of spare
    ones, and an alias takes the first of them or, if they do not serve, new ones.
    """
    found, spare, n_used = {}, {}, Counter()
    for name, buffer in buffers.items():
        by_itself = "persistent" if buffer.location == "local" else "shared"
        if buffer.location == "local" and not buffer.persistent:
            by_itself = "local"
        target = buffers.get(buffer.aliases)
        serves = (
            target is not None
            and (found[target.name][0], buffer.location)
            in {("shared", "shared"), ("shared", "local"), ("persistent", "local")}
            and buffer.precision is target.precision
            and buffer.size <= len(spare[target.name])
        )
        if serves:
            memory = found[target.name][0]
            addresses = [spare[target.name].pop(0) for _ in range(buffer.size)]
        else:
            memory = by_itself
            addresses = [n_used[memory] + number for number in range(buffer.size)]
            n_used[memory] += buffer.size
        found[name], spare[name] = (memory, addresses), list(addresses)
    return found


@given(groups())
def test_layouts_and_sizes_are_those_of_a_model(drawn):
    """Every slice and every size is what handing out single elements gives."""
    group, buffers = drawn
    expected = {"shared": {}, "persistent": {}, "local": {}}
    for name, (memory, addresses) in hand_out_addresses(buffers).items():
        expected[memory][name] = addresses
    sizes = {
        "shared": group.shared_buffer_size(),
        "persistent": group.persistent_local_buffer_size(),
    }
    for memory, layout in (
        ("shared", group.build_shared_layout()),
        ("persistent", group.build_persistent_layout()),
    ):
        handed_out = expected[memory]
        assert {name: list(range(*place.indices(1000))) for name, place in layout.items()} == (
            handed_out
        )
        assert sizes[memory] == len(set().union(*handed_out.values()))
    local_sizes = {name: max(1, len(addresses)) for name, addresses in expected["local"].items()}
    assert group.build_local_sizes() == local_sizes
    assert group.local_buffer_size() == sum(local_sizes.values())


@given(groups())
def test_every_buffer_is_allocated_exactly_once(drawn):
    """Each buffer lies in one of the three memories, with room for all its elements."""
    group, buffers = drawn
    layouts = [group.build_shared_layout(), group.build_persistent_layout()]
    local = group.build_local_sizes()
    for name, buffer in buffers.items():
        places = [layout[name] for layout in layouts if name in layout]
        assert len(places) + (name in local) == 1
        for place in places:
            assert place.stop - place.start == buffer.size
        if name in local:
            assert local[name] == max(1, buffer.size)


@given(groups())
def test_a_size_is_the_largest_end(drawn):
    """A size is the largest end of a slice, never a sum over entries."""
    group, _buffers = drawn
    for layout, size in (
        (group.build_shared_layout(), group.shared_buffer_size()),
        (group.build_persistent_layout(), group.persistent_local_buffer_size()),
    ):
        assert size == max((place.stop for place in layout.values()), default=0)


@given(groups())
def test_only_a_buffer_and_what_is_a_slice_of_it_overlap(drawn):
    """A slice lies inside its parent; siblings, and strangers, do not meet."""
    group, buffers = drawn
    for layout in (group.build_shared_layout(), group.build_persistent_layout()):
        ancestors = {}
        for name in layout:
            chain, target = [], buffers[name].aliases
            inside = layout[name]
            while target in layout:
                outside = layout[target]
                if not (outside.start <= inside.start and inside.stop <= outside.stop):
                    break
                chain.append(target)
                target = buffers[target].aliases
            ancestors[name] = chain
        for a in layout:
            for b in layout:
                low = max(layout[a].start, layout[b].start)
                high = min(layout[a].stop, layout[b].stop)
                if a != b and low < high:
                    assert a in ancestors[b] or b in ancestors[a]


@given(groups())
def test_first_come_first_served(drawn):
    """Of the children that are slices of a parent the earlier ones lie in front."""
    group, buffers = drawn
    layout = group.build_shared_layout()
    for parent in layout:
        inside = [
            layout[name].start
            for name, buffer in buffers.items()
            if buffer.aliases == parent
            and name in layout
            and layout[parent].start <= layout[name].start
            and layout[name].stop <= layout[parent].stop
            and buffer.size
        ]
        assert inside == sorted(inside)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=6), st.randoms())
def test_without_aliases_sizes_do_not_depend_on_the_order(sizes, chance):
    """Registering in another order moves the slices and changes no size."""
    shuffled = list(enumerate(sizes))
    chance.shuffle(shuffled)
    for location, settings in (("shared", {}), ("local", {"persistent": True})):
        groups = [
            group_of(*((f"b{number}", size, location, settings) for number, size in order))
            for order in (enumerate(sizes), shuffled)
        ]
        for measure in ("shared_buffer_size", "persistent_local_buffer_size"):
            assert len({getattr(group, measure)() for group in groups}) == 1
