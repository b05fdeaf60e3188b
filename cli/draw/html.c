/* Parts of HTML files. */
#include "cli/draw/html.h"

#include <glib.h>
#include <string.h>

void html_text(FILE *f, const char *text)
{
	for (; *text; text++)
		switch (*text) {
		case '&':
			fputs("&amp;", f);
			break;
		case '<':
			fputs("&lt;", f);
			break;
		case '>':
			fputs("&gt;", f);
			break;
		case '"':
			fputs("&quot;", f);
			break;
		case '\'':
			fputs("&#39;", f);
			break;
		default:
			putc((unsigned char)*text < ' ' || *text == 0x7f ? ' ' : *text, f);
		}
}

void html_uri(FILE *f, const char *path)
{
	fputs("file://", f);
	for (; *path; path++)
		if (strchr("/-_.~", *path) || (*path >= '0' && *path <= '9')
			|| ((*path | 32) >= 'a' && (*path | 32) <= 'z'))
			putc(*path, f);
		else
			fprintf(f, "%%%02X", (unsigned char)*path);
}

bool html_picture(FILE *f, imgsearch *s, const imgsearch_input *in, uint32_t side,
	const imgsearch_call *call)
{
	imgsearch_image *p = NULL;
	imgsearch_bytes *bytes = NULL;
	bool ok = !imgsearch_image_load(s, in, side, call, &p, NULL)
		&& !imgsearch_image_encode(p, 78, call, &bytes, NULL);
	if (ok) {
		fputs("data:image/jpeg;base64,", f);
		gchar *text = g_base64_encode(bytes->items, bytes->count);
		fputs(text, f);
		g_free(text);
	}
	imgsearch_bytes_free(bytes);
	imgsearch_image_free(p);
	return ok;
}

void html_json(FILE *f, const char *json)
{
	for (; *json; json++)
		if (*json == '<')
			fputs("\\u003c", f);
		else
			putc(*json, f);
}
