/* imgsearch map: the pictures of an index on a plane, as an image of points or of the pictures, or as a page. */
#include "cli/draw/canvas.h"
#include "cli/output/collection.h"
#include "cli/draw/html.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct map_args {
	common_args common;
	const char *output, *under;
	uint32_t tiles, pca, size;
	uint64_t max_points, seed;
	float perplexity;
} map_args;

#define AT(member) offsetof(map_args, member)
static const option options[] = {
	{ "output", 'o', OPT_FILE, AT(output), "FILE", .help = "write map.png, map.jpg or map.html" },
	{ "tiles", 't', OPT_FLAG, AT(tiles), .help = "draw the pictures themselves, each in a cell of its own near its place" },
	{ "pca", 0, OPT_FLAG, AT(pca), .help = "the two leading principal components instead of t-SNE" },
	{ "size", 0, OPT_UINT, AT(size), "N", .help = "pixels of the longer side", .min = 200, .max = 16000, .def = "2000" },
	{ "under", 'u', OPT_DIR, AT(under), "DIR", .help = "only pictures below this folder" },
	{ "perplexity", 0, OPT_FLOAT, AT(perplexity), "P", .help = "t-SNE: how many neighbours count", .min = 2, .max = 200, .def = "30" },
	{ "max-points", 0, OPT_U64, AT(max_points), "N", .help = "of a larger index, take an even choice of so many", .min = 2, .max = 1000000, .def = "50000" },
	{ "seed", 0, OPT_U64, AT(seed), "N", .help = "t-SNE: of its small random numbers", .min = 0, .max = 9007199254740991.0 },
	OPT_END
};

__asm__(".section .rodata\nmap_page:\n.incbin \"cli/map.html\"\n.byte 0\n.previous\n");
extern const char map_page[];

static const color paper = { 0xfa, 0xf9, 0xf6 }, ink = { 0x1d, 0x1c, 0x1a };

/* Width and height of what the points fill, in shares of the longer one. */
static void extent(const imgsearch_map_points *m, float *x, float *y)
{
	*x = *y = 0.05f;
	for (size_t i = 0; i < m->count; i++) {
		*x = fmaxf(*x, m->point[i].x);
		*y = fmaxf(*y, m->point[i].y);
	}
}

/* ------------------------------------------------------------------------------------------------- points ---- */

/* Where things go on an image of points: a plot, and beside it the folders' names where there is room for them. */
typedef struct plot {
	int width, height, margin, scale, names, legend;
	float side; /* pixels of the plot's unit */
} plot;

static plot plan(int size, size_t folders, const imgsearch_map_points *m)
{
	enum { NAMES = 40, NAME_WIDTH = 180, NAME_HEIGHT = 12, ROOMY = 600 };
	plot p = { .margin = size / 30, .scale = size / 900 + 1 };
	float across, down;
	extent(m, &across, &down);
	int room = size - 2 * p.margin, most = room / (NAME_HEIGHT * p.scale);
	most = most < NAMES ? most : NAMES;
	p.names = folders < 2 || size < ROOMY ? 0 : folders < (size_t)most ? (int)folders : most;
	p.legend = p.names ? NAME_WIDTH * p.scale : 0;
	p.side = fminf((float)(room - p.legend) / across, (float)room / down);
	p.width = (int)lroundf(across * p.side) + 2 * p.margin + p.legend;
	p.height = (int)lroundf(down * p.side) + 2 * p.margin;
	if (p.height < p.names * NAME_HEIGHT * p.scale + 2 * p.margin)
		p.height = p.names * NAME_HEIGHT * p.scale + 2 * p.margin;
	return p;
}

static bool draw_points(const map_args *a, imgsearch *s, const imgsearch_map_points *m)
{
	imgsearch_error err = { 0 };
	folders by;
	canvas c;
	if (!folders_read(&by, s, m, &err))
		return cli_fail("%s", err.message), false;
	plot p = plan((int)a->size, by.n, m);
	bool ok = canvas_new(&c, p.width, p.height, paper);
	float radius = fminf(fmaxf(p.side / 5 / sqrtf((float)m->count + 1), 1.5f), p.side / 180);
	for (size_t i = 0; ok && i < m->count; i++)
		canvas_disc(&c, m->point[i].x * p.side + (float)p.margin, m->point[i].y * p.side + (float)p.margin, radius,
			canvas_palette(by.of[i]), 0.8f);
	for (int i = 0; ok && i < p.names; i++) {
		int x = p.width - p.legend, y = p.margin + i * 12 * p.scale;
		canvas_disc(&c, (float)(x + 3 * p.scale), (float)y + 3.5f * (float)p.scale, 3 * (float)p.scale, canvas_palette((size_t)i), 1);
		canvas_text_fit(&c, x + 10 * p.scale, y, p.legend - 12 * p.scale, p.scale, ink, by.name[i]);
	}
	ok = ok && canvas_save(&c, a->output);
	if (ok)
		canvas_free(&c);
	folders_free(&by);
	return ok;
}

/* -------------------------------------------------------------------------------------------------- tiles ---- */

static bool draw_tiles(const map_args *a, context *cl, const imgsearch_map_points *m)
{
	imgsearch_error err;
	canvas c;
	float across, down;
	extent(m, &across, &down);
	/* A fifth more cells than pictures, so that clusters keep some air between them. */
	double cells = 1.2 * (double)m->count + 1, columns = ceil(sqrt(cells * across / down)), rows = ceil(cells / columns);
	int tile = (int)((double)a->size / fmax(columns, rows));
	tile = tile < 8 ? 8 : tile;
	uint32_t *cell = malloc((m->count + 1) * sizeof *cell);
	if (!cell)
		return cli_nomem(), false;
	if (imgsearch_map_grid(m, (uint32_t)columns, (uint32_t)rows, cell, &err)) {
		cli_error(&err);
		free(cell);
		return false;
	}
	bool ok = canvas_new(&c, (int)columns * tile, (int)rows * tile, paper);
	for (size_t i = 0; ok && i < m->count && !interrupt_pending(); i++) {
		imgsearch_input in = imgsearch_stored(m->point[i].id);
		imgsearch_picture *p;
		imgsearch_progress now = { .stage = "tiles", .done = i + 1, .total = m->count, .loss = NAN, .accuracy = NAN };
		if (!imgsearch_picture_load(cl->s, &in, (uint32_t)tile * 2, &p, NULL))
			canvas_picture(&c, p, (int)(cell[i] % (uint32_t)columns) * tile, (int)(cell[i] / (uint32_t)columns) * tile, tile - 1, tile - 1, true);
		imgsearch_picture_free(p);
		progress_show(cl->progress, &now);
	}
	ok = ok && !interrupt_pending() && canvas_save(&c, a->output);
	if (ok)
		canvas_free(&c);
	free(cell);
	return ok;
}

/* --------------------------------------------------------------------------------------------------- page ---- */

/* Names of all pictures; small pictures inside for not too many of them, else where their files lie. */
static void write_pictures(FILE *f, imgsearch *s, const imgsearch_map_points *m)
{
	enum { INSIDE = 4000 };
	static const char *const part[] = { "names", "thumbs", "files" };
	for (int which = 0; which < 3; which++) {
		json_writer j = { .file = f };
		bool first = true;
		fprintf(f, ", \"%s\": {", part[which]);
		for (size_t i = 0; i < m->count && !interrupt_pending(); i++) {
			imgsearch_input in = imgsearch_stored(m->point[i].id);
			imgsearch_item *item;
			if ((which == 1) != (m->count <= INSIDE) && which)
				break;
			if (imgsearch_item_get(s, in.id, &item, NULL))
				continue;
			fprintf(f, "%s\"%lld\": ", first ? "" : ",\n", (long long)in.id);
			j.comma = first = false;
			if (which == 0)
				json_write_text(&j, NULL, item->title ? item->title : item->path);
			putc(which ? '"' : ' ', f);
			if (which == 1)
				html_picture(f, s, &in, 128);
			if (which == 2)
				html_uri(f, item->path);
			putc(which ? '"' : ' ', f);
			imgsearch_item_free(item);
		}
		putc('}', f);
	}
}

static bool write_page(const map_args *a, imgsearch *s, const imgsearch_map_points *m)
{
	imgsearch_error err = { 0 };
	char *points = NULL, *page = NULL;
	size_t n = 0;
	const char *mark = strstr(map_page, "@DATA@");
	FILE *f = open_memstream(&points, &n);
	bool ok = f && !map_write_json(f, s, m, &err);
	if (f && ok) {
		fseek(f, -2, SEEK_CUR); /* over the closing brace */
		write_pictures(f, s, m);
		putc('}', f);
	}
	ok = f && fclose(f) == 0 && ok;
	f = ok ? open_memstream(&page, &n) : NULL;
	if (f) {
		fwrite(map_page, 1, (size_t)(mark - map_page), f);
		html_json(f, points);
		fputs(mark + strlen("@DATA@"), f);
		ok = fclose(f) == 0 && file_replace(a->output, page, n);
	} else {
		cli_fail("%s", err.message[0] ? err.message : "out of memory");
	}
	free(points);
	free(page);
	return ok;
}

static int run(context *c, void *args)
{
	map_args *a = args;
	imgsearch_map_points *m = NULL;
	imgsearch_error err = { 0 };
	file_kind kind = a->output ? file_kind_of(a->output) : FILE_OTHER;
	bool page = kind == FILE_HTML;
	if (!a->output && !c->common->json)
		return command_usage(c->command, "say where to: -o map.png, -o map.html, or --json");
	if (a->output && kind == FILE_OTHER)
		return command_usage(c->command, "-o %s: the name must end in .png, .jpg or .html", a->output);
	char *under = a->under ? path_absolute(a->under) : NULL;
	imgsearch_map_options o = { .struct_size = sizeof o, .under = under, .max_points = a->max_points, .seed = a->seed,
		.perplexity = a->perplexity, .pca = a->pca };
	int rc = context_open(c, false);
	if (rc == CLI_DONE && a->output && !file_spare(c->s, a->output))
		rc = CLI_FAILED;
	if (rc == CLI_DONE && imgsearch_map(c->s, &o, &m, &err))
		rc = cli_error(&err);
	if (rc == CLI_DONE && !m->count)
		rc = cli_fail("there are no pictures to show");
	if (rc == CLI_DONE && c->common->json && map_write_json(stdout, c->s, m, &err))
		rc = cli_error(&err);
	if (rc == CLI_DONE && a->output)
		rc = (page ? write_page(a, c->s, m) : a->tiles ? draw_tiles(a, c, m) : draw_points(a, c->s, m)) ? CLI_DONE : CLI_FAILED;
	imgsearch_map_free(m);
	free(under);
	return rc;
}

const command cmd_map = {
	.name = "map", .operands = "", .summary = "all pictures on a plane, like ones near each other",
	.text = "Lays the pictures of the index out on a plane by t-SNE (Barnes-Hut) or by their principal components: as points "
		"coloured by folder, as the pictures themselves on a grid (--tiles), or as a page to zoom into (.html), which "
		"stands alone. The same index gives the same map.\n\n"
		"\timgsearch map -o map.png\n"
		"\timgsearch map --tiles -o tiles.png\n"
		"\timgsearch map -o map.html",
	.options = options, .groups = GROUP_DB | GROUP_JSON | GROUP_THREADS, .args_size = sizeof(map_args), .run = run
};
