/*
 * imgsearch map: a page to zoom into. The template is map.html; its marks are replaced by the data
 * and by the script plane.js.
 */
#include "cli/map.h"

#include "cli/base/embed.h"
#include "cli/base/file.h"
#include "cli/base/json_writer.h"
#include "cli/base/message.h"
#include "cli/context/interrupt.h"
#include "cli/draw/html.h"
#include "cli/draw/plane.h"
#include "cli/output/map.h"

#include <stdlib.h>
#include <string.h>

EMBED(map_html, "cli/map.html");

/* A map of at most this many pictures contains them; otherwise the page names their files. */
enum { INSIDE = 4000 };

static void write_title(FILE *f, context *c, const imgsearch_item *item)
{
	json_writer j = { .file = f };
	(void)c;
	json_write_text(&j, NULL, item->title ? item->title : item->path);
}

static void write_thumb(FILE *f, context *c, const imgsearch_item *item)
{
	imgsearch_input in = imgsearch_input_item(item->id);
	putc('"', f);
	html_picture(f, c->s, &in, 128, &c->call);
	putc('"', f);
}

static void write_file(FILE *f, context *c, const imgsearch_item *item)
{
	(void)c;
	putc('"', f);
	html_uri(f, item->path);
	putc('"', f);
}

/* "name": {ID: value, ...} of all points that are still pictures of the index. */
static void write_values(FILE *f, context *c, const imgsearch_map *m, const char *name,
	void (*write)(FILE *f, context *c, const imgsearch_item *item))
{
	const char *gap = "";
	fprintf(f, ", \"%s\": {", name);
	for (size_t i = 0; write && i < m->count && !interrupt_pending(); i++) {
		imgsearch_item *item;
		if (imgsearch_item_get(c->s, m->items[i]->id, &item, NULL))
			continue;
		fprintf(f, "%s\"%lld\": ", gap, (long long)item->id);
		write(f, c, item);
		gap = ",\n";
		imgsearch_item_free(item);
	}
	putc('}', f);
}

/* The JSON that the page reads; malloc'd. NULL: err says why. */
static char *page_data(context *c, const imgsearch_map *m, imgsearch_error *err)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	bool inside = m->count <= INSIDE,
		 ok = f && !map_write_json(f, c->s, m, c->under ? &c->filter : NULL, &c->call, err);
	if (ok) {
		fseek(f, -2, SEEK_CUR); /* over the closing brace and the newline */
		write_values(f, c, m, "names", write_title);
		write_values(f, c, m, "thumbs", inside ? write_thumb : NULL);
		write_values(f, c, m, "files", inside ? NULL : write_file);
		putc('}', f);
	}
	if (f && fclose(f))
		ok = false;
	if (ok)
		return text;
	free(text);
	if (!err->code)
		*err = (imgsearch_error){ IMGSEARCH_ENOMEM, 0, "out of memory" };
	return NULL;
}

/* Writes the template up to a mark; returns the text after the mark. */
static const char *write_until(FILE *f, const char *html, const char *mark)
{
	const char *at = strstr(html, mark);
	fwrite(html, 1, (size_t)(at - html), f);
	return at + strlen(mark);
}

bool map_write_page(const map_args *a, context *c, const imgsearch_map *m)
{
	imgsearch_error err = { 0 };
	char *page = NULL;
	size_t size = 0;
	char *data = page_data(c, m, &err);
	if (!data)
		return cli_fail("%s", err.message), false;
	FILE *f = open_memstream(&page, &size);
	if (f) {
		const char *rest = write_until(f, map_html, "@DATA@");
		html_json(f, data);
		rest = write_until(f, rest, "@PLANE@");
		fputs(plane_js, f);
		fputs(rest, f);
	}
	bool ok = f && fclose(f) == 0;
	ok = ok ? file_write(a->output, page, size) : (cli_nomem(), false);
	free(data);
	free(page);
	return ok;
}
