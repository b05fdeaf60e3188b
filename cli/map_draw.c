/* imgsearch map: images of points and of tiles. */
#include "cli/map.h"

#include "cli/base/message.h"
#include "cli/context/interrupt.h"
#include "cli/draw/canvas.h"
#include "cli/output/folders.h"

#include <math.h>
#include <stdlib.h>

static const color paper = { 0xfa, 0xf9, 0xf6 }, ink = { 0x1d, 0x1c, 0x1a };

enum {
	NAMES = 40,       /* at most so many folders have their names in the image */
	NAME_WIDTH = 180, /* pixels at scale 1 */
	NAME_HEIGHT = 12,
	NAMED_SIZE = 600, /* pixels of the smallest image with names */
	TILE = 4,         /* pixels of the smallest cell of a picture */
};

/* Width and height of the points' bounding box, from 0 to 1. */
static void extent(const imgsearch_map *m, float *x, float *y)
{
	*x = *y = 0.05f;
	for (size_t i = 0; i < m->count; i++) {
		*x = fmaxf(*x, m->items[i]->x);
		*y = fmaxf(*y, m->items[i]->y);
	}
}

/* ---------------------------------------------------------------------------------- points ---- */

/*
 * An image of points: the plot, and the names of folders on its right where there is room for them.
 */
typedef struct plot {
	int width, height, margin, scale, names, legend;
	float side; /* pixels of the plot's unit */
} plot;

static plot plan(int size, size_t folders, const imgsearch_map *m)
{
	plot p = { .margin = size / 30, .scale = size / 900 + 1 };
	float across, down;
	extent(m, &across, &down);
	int room = size - 2 * p.margin, most = room / (NAME_HEIGHT * p.scale);
	most = most < NAMES ? most : NAMES;
	p.names = folders < 2 || size < NAMED_SIZE ? 0 : folders < (size_t)most ? (int)folders : most;
	p.legend = p.names ? NAME_WIDTH * p.scale : 0;
	p.side = fminf((float)(room - p.legend) / across, (float)room / down);
	p.width = (int)lroundf(across * p.side) + 2 * p.margin + p.legend;
	p.height = (int)lroundf(down * p.side) + 2 * p.margin;
	if (p.height < p.names * NAME_HEIGHT * p.scale + 2 * p.margin)
		p.height = p.names * NAME_HEIGHT * p.scale + 2 * p.margin;
	return p;
}

static void draw_names(canvas *c, const plot *p, const folders *by)
{
	for (int i = 0; i < p->names; i++) {
		int x = p->width - p->legend, y = p->margin + i * NAME_HEIGHT * p->scale;
		canvas_disc(c, (float)(x + 3 * p->scale), (float)y + 3.5f * (float)p->scale,
			3 * (float)p->scale, canvas_palette((size_t)i), 1);
		canvas_text_fit(c, x + 10 * p->scale, y, p->legend - 12 * p->scale, p->scale, ink,
			by->name[i]);
	}
}

bool map_draw_points(const map_args *a, context *c, const imgsearch_map *m)
{
	imgsearch_error err = { 0 };
	folders by;
	canvas image;
	if (folders_read(&by, c->s, m, c->under ? &c->filter : NULL, &c->call, &err))
		return cli_fail("%s", err.message), false;
	plot p = plan((int)a->size, by.n, m);
	bool ok = canvas_new(&image, p.width, p.height, paper);
	float radius = fminf(fmaxf(p.side / 5 / sqrtf((float)m->count + 1), 1.5f), p.side / 180);
	for (size_t i = 0; ok && i < m->count; i++)
		canvas_disc(&image, m->items[i]->x * p.side + (float)p.margin,
			m->items[i]->y * p.side + (float)p.margin, radius, canvas_palette(by.of[i]), 0.8f);
	if (ok) {
		draw_names(&image, &p, &by);
		ok = canvas_save(&image, a->output, &c->call);
		canvas_free(&image);
	}
	folders_free(&by);
	return ok;
}

/* ----------------------------------------------------------------------------------- tiles ---- */

typedef struct grid {
	uint32_t columns, rows;
	int tile; /* side of a cell in pixels */
} grid;

/* A fifth more cells than pictures, so that clusters keep some space between them. */
static grid plan_grid(int size, const imgsearch_map *m)
{
	float across, down;
	extent(m, &across, &down);
	double cells = 1.2 * (double)m->count + 1, columns = ceil(sqrt(cells * across / down)),
		   rows = ceil(cells / columns);
	int tile = (int)((double)size / fmax(columns, rows));
	return (grid){ (uint32_t)columns, (uint32_t)rows, tile };
}

/* False: the cell stays empty. */
static bool draw_tile(canvas *image, context *c, int64_t id, const grid *g, uint32_t cell)
{
	imgsearch_input in = imgsearch_input_item(id);
	imgsearch_image *p = NULL;
	int x = (int)(cell % g->columns) * g->tile, y = (int)(cell / g->columns) * g->tile;
	bool read = !imgsearch_image_load(c->s, &in, (uint32_t)g->tile * 2, &c->call, &p, NULL);
	if (read)
		canvas_picture(image, p, x, y, g->tile - 1, g->tile - 1, true);
	imgsearch_image_free(p);
	return read;
}

/* Returns how many cells stay empty because their picture cannot be read. */
static size_t draw_all_tiles(canvas *image, context *c, const imgsearch_map *m, const grid *g,
	const uint32_t *cell)
{
	size_t empty = 0;
	for (size_t i = 0; i < m->count && !interrupt_pending(); i++) {
		imgsearch_progress now = { .stage = "tiles",
			.done = i + 1,
			.total = m->count,
			.loss = NAN,
			.accuracy = NAN };
		empty += !draw_tile(image, c, m->items[i]->id, g, cell[i]);
		progress_show(c->progress, &now);
	}
	return empty;
}

bool map_draw_tiles(const map_args *a, context *c, const imgsearch_map *m)
{
	imgsearch_error err;
	canvas image;
	size_t empty = 0;
	grid g = plan_grid((int)a->size, m);
	if (g.tile < TILE)
		return cli_fail("too many pictures for --size %u: a cell needs %d pixels", a->size, TILE),
			   false;
	uint32_t *cell = malloc((m->count + 1) * sizeof *cell);
	if (!cell)
		return cli_nomem(), false;
	bool ok = !imgsearch_map_grid(m, g.columns, g.rows, &c->call, cell, m->count, &err)
		|| (context_error(c, &err), false);
	ok = ok && canvas_new(&image, (int)g.columns * g.tile, (int)g.rows * g.tile, paper);
	if (ok) {
		empty = draw_all_tiles(&image, c, m, &g, cell);
		ok = !interrupt_pending() && canvas_save(&image, a->output, &c->call);
		canvas_free(&image);
	}
	free(cell);
	progress_clear(c->progress);
	if (ok && empty)
		cli_warn("%zu pictures could not be read; their cells are empty", empty);
	return ok;
}
