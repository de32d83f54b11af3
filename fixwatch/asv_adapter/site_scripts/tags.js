'use strict';

/* asv writes every tag above the graph, one over the other. Here only those are shown that have
   room, x.y.0 before other versions and newer ones before older ones; zooming in shows more. Their
   lines in the graph stay. */

$(document).ready(function() {
    var GAP = 4;
    var graph = document.getElementById('main-graph');

    function is_tag(element) {
        return element.parentNode === graph && element.style.top === '-2ex';
    }

    /* The place is the same whether it is shown or not. */
    function find_left(element) {
        return parseFloat(element.style.left);
    }

    function rank(element) {
        return /\.0$/.test(element.textContent) ? 0 : 1;
    }

    function lay_out() {
        var tags = $.grep($(graph).children('div').get(), is_tag);
        var taken = [];
        var width = graph.clientWidth;
        tags.sort(function(a, b) {
            return rank(a) - rank(b) || find_left(b) - find_left(a);
        });
        $.each(tags, function(i, element) {
            element.style.whiteSpace = 'nowrap';
            element.style.display = '';
            var from = find_left(element), to = from + element.offsetWidth + GAP;
            var has_room = to <= width + GAP && taken.every(function(other) {
                return to <= other[0] || from >= other[1];
            });
            if (has_room) {
                taken.push([from, to]);
            } else {
                element.style.display = 'none';
            }
        });
    }

    new MutationObserver(function(changes) {
        var has_tags = changes.some(function(change) {
            return Array.prototype.some.call(change.addedNodes, function(node) {
                return node.nodeType === Node.ELEMENT_NODE && is_tag(node);
            });
        });
        if (has_tags) {
            lay_out();
        }
    }).observe(graph, {childList: true});

    /* asv marks a change by `commits=A-B`, which it reads if both are hashes. Releases are named by
       their versions: mark B, the first that is otherwise. */
    var get_revision = $.asv.get_revision;
    $.asv.get_revision = function(name) {
        var revision = get_revision(name);
        $.each(revision === null ? name.split('-').reverse() : [name], function(i, part) {
            $.each($.asv.main_json.revision_to_hash, function(number, hash) {
                if (hash === part) {
                    revision = number;
                    return false;
                }
            });
            return revision === null;
        });
        return revision;
    };
});
