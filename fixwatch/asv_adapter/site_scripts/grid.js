'use strict';

/* asv's benchmark grid with a tile for each workload: what tiles.json says, which publishing writes.
   Stands in for asv's summarygrid.js. */

$(document).ready(function() {
    var COLORS = {affected: '#f4b8a8', free: '#cfe8c5'};
    var LINE = '#333333';
    var is_made = false;

    function make_line(tile) {
        return {
            data: tile.points,
            color: LINE,
            lines: {show: tile.points.length > 1, lineWidth: 1.5},
            points: {show: tile.points.length === 1, radius: 3},
            shadowSize: 0
        };
    }

    function draw(plot_div, tile) {
        var markings = $.map(tile.bands, function(band) {
            return {color: COLORS[band[2]], xaxis: {from: band[0], to: band[1]}};
        });
        $.each(tile.changes, function(i, change) {
            /* The revision that is the first to be otherwise. */
            var place = change.place - 0.5;
            markings.push({color: LINE, lineWidth: 2, xaxis: {from: place, to: place}});
        });
        var ends = [tile.points[0][0], tile.points[tile.points.length - 1][0]];
        $.each(tile.bands, function(i, band) {
            ends = [Math.min(ends[0], band[0]), Math.max(ends[1], band[1])];
        });
        var plot = $.plot(plot_div, [make_line(tile)], {
            grid: {borderWidth: 1, labelMargin: 0, axisMargin: 0, minBorderMargin: 0,
                   markings: markings},
            xaxis: {ticks: [], min: ends[0], max: ends[1]},
            yaxis: {ticks: [], min: 0, autoscaleMargin: 0.25},
            legend: {show: false}
        });
        $.each(tile.changes, function(i, change) {
            label(plot, plot_div, change, ends, i);
        });
    }

    /* Say at the line of a change what it is, on the side that has more room. */
    function label(plot, plot_div, change, ends, row) {
        var left = plot.pointOffset({x: change.place - 0.5, y: 0}).left;
        var is_right = change.place < (ends[0] + ends[1]) / 2;
        var text = $('<span/>').text(change.kind + ' in ' + change.name).css({
            position: 'absolute', top: 2 + 14 * row, fontSize: '11px', lineHeight: '13px',
            padding: '0 3px', color: '#000', background: 'rgba(255, 255, 255, 0.8)'
        });
        text.css(is_right ? {left: left + 2} : {right: plot_div.width() - left + 2});
        plot_div.append(text);
    }

    function make_tile(tile) {
        var container = $('<a class="btn benchmark-container"/>').attr('href', tile.address);
        var heading = $('<div class="benchmark-text"/>').text(tile.title);
        var answer = $('<div class="benchmark-text fixwatch-answer"/>').text(tile.answer);
        var plot_div = $('<div class="benchmark-plot"/>').css('position', 'relative');
        container.css('height', '132px').append(heading, answer, plot_div);
        return [container, function() { draw(plot_div, tile); }];
    }

    function make_grid(tiles) {
        var display = $('#summarygrid-display');
        var key = $('<p style="margin: 12px 16px 0"/>').append(
            'Failing trials by revision, the worst schedule of each workload. ',
            sample('affected', 'failures observed'), ' ', sample('free', 'none, where an affected ' +
            'revision would have failed'), ' Without colour: not decided.');
        display.append(key);
        $.each(tiles.groups, function(i, group) {
            var container = $('<div class="benchmark-group"/>');
            container.append($('<h1/>').text(group.name), describe(group.about));
            display.append(container);
            $.each(group.tiles, function(j, tile) {
                var made = make_tile(tile);
                container.append(made[0]);
                made[1]();
            });
        });
        if (!tiles.groups.length) {
            display.append($('<p/>').text('Nothing was measured in any workload.'));
        }
    }

    /* A sentence, with names as code where it has them in backticks. */
    function describe(sentence) {
        var paragraph = $('<p style="text-align: center"/>');
        $.each(sentence.split('`'), function(i, part) {
            paragraph.append($(i % 2 ? '<code/>' : '<span/>').text(part));
        });
        return paragraph;
    }

    function sample(kind, text) {
        return $('<span style="padding: 2px 6px"/>').css('background', COLORS[kind]).text(text);
    }

    $.asv.register_page('', function() {
        $('#summarygrid-display').show();
        $('#title').text('All workloads');
        $('.tooltip').remove();
        if (!is_made) {
            is_made = true;
            $.asv.load_graph_data('tiles.json').done(make_grid).fail($.asv.ui.network_error);
        }
    });
});
