/* Contact sheets, as an image and as a page. */
#include "cli/draw/sheet.h"

#include "cli/base/file.h"
#include "cli/base/message.h"
#include "cli/draw/canvas.h"
#include "cli/draw/html.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const color paper = { 0xff, 0xff, 0xff }, line = { 0xe5, 0xe2, 0xdb };
static const color frame = { 0xf0, 0xee, 0xe8 }, ink = { 0x1d, 0x1c, 0x1a };
static const color soft = { 0x65, 0x62, 0x5c }, good = { 0x0d, 0x6e, 0x5f };

/* Pixels, and pictures in a row. */
enum { TILE = 220, GAP = 16, LINE = 18, COLUMNS = 5, HEAD = 260 };

static bool copy_hits(sheet_section *to, const imgsearch_hits *hits)
{
	to->hit = calloc(hits->count + 1, sizeof *to->hit);
	for (size_t i = 0; to->hit && i < hits->count; i++) {
		const imgsearch_hit *h = hits->items[i];
		const char *slash = strrchr(h->path, '/');
		const char *label = h->title ? h->title : slash ? slash + 1 : h->path;
		to->hit[i] = (sheet_hit){
			h->id,
			h->score,
			strdup(label),
			strdup(h->path),
			i >= hits->better_than_chance,
			h->region ? *h->region : (imgsearch_region){ 0 },
		};
		to->n++;
		if (!to->hit[i].label || !to->hit[i].path)
			return false;
	}
	return to->hit != NULL;
}

bool sheet_add(sheet *sh, const char *name, const imgsearch_input *in, const imgsearch_hits *hits)
{
	sheet_section *more = realloc(sh->section, (sh->n + 1) * sizeof *more);
	if (!more)
		return cli_nomem(), false;
	sh->section = more;
	sheet_section *to = &more[sh->n++];
	*to = (sheet_section){ .name = strdup(name) };
	imgsearch_image_load(sh->s, in, HEAD, sh->call, &to->picture, NULL);
	to->missing = hits->missing ? strdup(hits->missing) : NULL;
	bool copied = to->name && (to->missing || !hits->missing) && copy_hits(to, hits);
	return copied || (cli_nomem(), false);
}

void sheet_free(sheet *sh)
{
	for (size_t i = 0; i < sh->n; i++) {
		for (size_t h = 0; h < sh->section[i].n; h++) {
			free(sh->section[i].hit[h].label);
			free(sh->section[i].hit[h].path);
		}
		free(sh->section[i].hit);
		free(sh->section[i].name);
		free(sh->section[i].missing);
		imgsearch_image_free(sh->section[i].picture);
	}
	free(sh->section);
	*sh = (sheet){ 0 };
}

/* ----------------------------------------------------------------------------------- image ---- */

static int rows_of(const sheet_section *s)
{
	size_t rows = (s->n + COLUMNS - 1) / COLUMNS;
	return rows ? (int)rows : 1;
}

static int section_height(const sheet_section *s)
{
	int results = rows_of(s) * (TILE + 2 * LINE + GAP + 8);
	int lines = s->missing ? 2 * (LINE + 4) : LINE;
	return (results > HEAD + lines + GAP ? results : HEAD + lines + GAP) + GAP;
}

/* A frame around the region of a picture of that size that lies at x, y. */
static void draw_region(canvas *c, const imgsearch_region *r, int x, int y, uint32_t width,
	uint32_t height)
{
	const double across = (double)width / r->picture_width,
				 down = (double)height / r->picture_height;
	const int left = x + (int)(across * r->x), top = y + (int)(down * r->y);
	const int w = (int)(across * r->width), h = (int)(down * r->height);
	for (int edge = 0; edge < 4; edge++) { /* light, dark: it is seen on any picture */
		color ink = edge == 0 || edge == 3 ? paper : good;
		canvas_rect(c, left + edge, top + edge, w - 2 * edge, 1, ink);
		canvas_rect(c, left + edge, top + h - 1 - edge, w - 2 * edge, 1, ink);
		canvas_rect(c, left + edge, top + edge, 1, h - 2 * edge, ink);
		canvas_rect(c, left + w - 1 - edge, top + edge, 1, h - 2 * edge, ink);
	}
}

static void draw_hit(canvas *c, const sheet *sh, const sheet_hit *h, int x, int y)
{
	imgsearch_input in = imgsearch_input_item(h->id);
	imgsearch_image *p = NULL;
	char score[32];
	canvas_rect(c, x, y, TILE, TILE, frame);
	if (!imgsearch_image_load(sh->s, &in, TILE, sh->call, &p, NULL))
		canvas_picture(c, p, x, y, TILE, TILE, false);
	if (p && h->region.width)
		draw_region(c, &h->region, x + (TILE - (int)p->width) / 2, y + (TILE - (int)p->height) / 2,
			p->width, p->height);
	imgsearch_image_free(p);
	snprintf(score, sizeof score, "%.3f%s", (double)h->score, h->is_chance ? " (chance)" : "");
	canvas_text(c, x, y + TILE + 8, 2, h->is_chance ? soft : good, score);
	canvas_text_fit(c, x, y + TILE + 8 + LINE + 4, TILE, 2, ink, h->label);
}

static void draw_section(canvas *c, const sheet *sh, const sheet_section *from, int y)
{
	const char *slash = strrchr(from->name, '/');
	canvas_rect(c, GAP, y, HEAD, HEAD, frame);
	if (from->picture)
		canvas_picture(c, from->picture, GAP, y, HEAD, HEAD, false);
	canvas_text(c, GAP, y + HEAD + 8, 2, soft, "query");
	canvas_text_fit(c, GAP, y + HEAD + 8 + LINE + 4, HEAD, 2, ink, slash ? slash + 1 : from->name);
	if (from->missing)
		canvas_text_fit(c, GAP, y + HEAD + 8 + 2 * (LINE + 4), HEAD, 2, soft, "not all reached");
	if (!from->n)
		canvas_text(c, HEAD + 4 * GAP, y + HEAD / 2, 2, soft, "nothing found");
	for (size_t i = 0; i < from->n; i++)
		draw_hit(c, sh, &from->hit[i], HEAD + 3 * GAP + (int)(i % COLUMNS) * (TILE + GAP),
			y + (int)(i / COLUMNS) * (TILE + 2 * LINE + GAP + 8));
}

bool sheet_write_image(const sheet *sh, const char *path)
{
	enum { TALLEST = 60000 };
	int height = GAP;
	canvas c;
	for (size_t i = 0; i < sh->n; i++) {
		height += section_height(&sh->section[i]) + GAP;
		if (height > TALLEST)
			return cli_fail("%s: too many results for one sheet; take a smaller -k, "
							"or fewer queries",
					   path),
				   false;
	}
	if (!canvas_new(&c, HEAD + 3 * GAP + COLUMNS * (TILE + GAP), height, paper))
		return false;
	for (size_t i = 0, y = GAP; i < sh->n; i++) {
		if (i)
			canvas_rect(&c, GAP, (int)y - GAP, c.width - 2 * GAP, 1, line);
		draw_section(&c, sh, &sh->section[i], (int)y);
		y += (size_t)section_height(&sh->section[i]) + GAP;
	}
	bool ok = canvas_save(&c, path, sh->call);
	canvas_free(&c);
	return ok;
}

/* ------------------------------------------------------------------------------------ HTML ---- */

static const char style[] =
	":root{color-scheme:light dark;font:15px/1.45 system-ui,sans-serif;--soft:#6b6862;"
	"--fill:#8881}@media(prefers-color-scheme:dark){:root{--soft:#a5a49b}}body{margin:0 auto;"
	"padding:2rem;max-width:1500px}h1{font-size:1.4rem}section{display:grid;"
	"grid-template-columns:280px 1fr;gap:2rem;padding:1.5rem 0;border-top:1px solid #8883}"
	"figure{margin:0}figcaption{font-size:.85rem;overflow-wrap:anywhere}img{max-width:100%;"
	"border-radius:10px;background:var(--fill);display:block}ol{list-style:none;margin:0;"
	"padding:0;display:grid;grid-template-columns:repeat(auto-fill,minmax(190px,1fr));"
	"gap:1rem}li img{width:100%;height:180px;object-fit:contain}b{"
	"font-variant-numeric:tabular-nums}small{color:var(--soft)}.chance{opacity:.6}a{"
	"color:inherit}@media(max-width:700px){section{grid-template-columns:1fr}body{"
	"padding:1rem}}";

/* The picture of a hit with a frame around its region. */
static bool write_framed(FILE *f, const sheet *sh, const sheet_hit *h)
{
	imgsearch_input in = imgsearch_input_item(h->id);
	imgsearch_image *p = NULL;
	canvas c;
	if (imgsearch_image_load(sh->s, &in, 360, sh->call, &p, NULL))
		return false;
	bool ok = canvas_new(&c, (int)p->width, (int)p->height, paper);
	if (ok) {
		canvas_picture(&c, p, 0, 0, c.width, c.height, false);
		draw_region(&c, &h->region, 0, 0, p->width, p->height);
		in = imgsearch_input_pixels(c.rgb, c.width, c.height, 0);
		ok = html_picture(f, sh->s, &in, 0, sh->call);
		canvas_free(&c);
	}
	imgsearch_image_free(p);
	return ok;
}

static void write_hit(FILE *f, const sheet *sh, const sheet_hit *h)
{
	imgsearch_input in = imgsearch_input_item(h->id);
	fprintf(f, "<li%s><a href=\"", h->is_chance ? " class=\"chance\"" : "");
	html_uri(f, h->path);
	fputs("\"><img loading=\"lazy\" alt=\"\" src=\"", f);
	if (!(h->region.width ? write_framed(f, sh, h) : html_picture(f, sh->s, &in, 360, sh->call)))
		fputs("data:,", f);
	fprintf(f, "\"></a><b>%.3f</b>%s ", (double)h->score,
		h->is_chance ? " <small>no better than chance</small>" : "");
	html_text(f, h->label);
	fputs("<br><small>", f);
	html_text(f, h->path);
	fputs("</small></li>\n", f);
}

static void write_section(FILE *f, const sheet *sh, const sheet_section *from,
	const char *query_data)
{
	fputs("<section><figure>", f);
	if (query_data)
		fprintf(f, "<img alt=\"The query\" src=\"%s\">", query_data);
	fputs("<figcaption>", f);
	html_text(f, from->name);
	if (from->missing) {
		fputs("<br><small>Left out, since it could not be reached: ", f);
		html_text(f, from->missing);
		fputs("</small>", f);
	}
	fputs("</figcaption></figure>\n<ol>\n", f);
	for (size_t i = 0; i < from->n; i++)
		write_hit(f, sh, &from->hit[i]);
	fputs(from->n ? "</ol></section>\n" : "<li>Nothing found.</li></ol></section>\n", f);
}

/* The query's small picture as text; free(). */
static char *query_text(const sheet *sh, const imgsearch_image *p)
{
	char *text = NULL;
	size_t size;
	FILE *f = p ? open_memstream(&text, &size) : NULL;
	if (!f)
		return NULL;
	imgsearch_input in = imgsearch_input_pixels(p->rgb, (int32_t)p->width, (int32_t)p->height, 0);
	html_picture(f, sh->s, &in, 0, sh->call);
	return fclose(f) ? (free(text), NULL) : text;
}

bool sheet_write_html(const sheet *sh, const char *path)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	if (!f)
		return cli_nomem(), false;
	fprintf(f,
		"<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
		"<meta name=\"viewport\" content=\"width=device-width\"><title>imgsearch: results</title>"
		"<style>%s</style></head><body>\n<h1>Similar pictures</h1>\n",
		style);
	for (size_t i = 0; i < sh->n; i++) {
		char *query = query_text(sh, sh->section[i].picture);
		write_section(f, sh, &sh->section[i], query);
		free(query);
	}
	fputs("</body></html>\n", f);
	bool ok = !ferror(f);
	ok = fclose(f) == 0 && ok;
	ok = ok ? file_write(path, text, size) : (cli_nomem(), false);
	free(text);
	return ok;
}
