/* Escaping, and pictures as data. */
#include "cli/draw/html.h"

#include <string.h>

void html_text(FILE *f, const char *text)
{
	for (; *text; text++)
		switch (*text) {
		case '&': fputs("&amp;", f); break;
		case '<': fputs("&lt;", f); break;
		case '>': fputs("&gt;", f); break;
		case '"': fputs("&quot;", f); break;
		case '\'': fputs("&#39;", f); break;
		default: putc((unsigned char)*text < ' ' || *text == 0x7f ? ' ' : *text, f);
		}
}

void html_uri(FILE *f, const char *path)
{
	fputs("file://", f);
	for (; *path; path++)
		if (strchr("/-_.~", *path) || (*path >= '0' && *path <= '9') || ((*path | 32) >= 'a' && (*path | 32) <= 'z'))
			putc(*path, f);
		else
			fprintf(f, "%%%02X", (unsigned char)*path);
}

static void base64(FILE *f, const unsigned char *s, size_t n)
{
	static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)s[i] << 16 | (i + 1 < n ? (uint32_t)s[i + 1] << 8 : 0) | (i + 2 < n ? s[i + 2] : 0);
		char four[4] = { digit[v >> 18], digit[v >> 12 & 63], i + 1 < n ? digit[v >> 6 & 63] : '=', i + 2 < n ? digit[v & 63] : '=' };
		fwrite(four, 1, 4, f);
	}
}

bool html_picture(FILE *f, imgsearch *s, const imgsearch_input *in, uint32_t side)
{
	imgsearch_picture *p = NULL;
	void *bytes = NULL;
	size_t n;
	bool ok = !imgsearch_picture_load(s, in, side, &p, NULL) && !imgsearch_picture_encode(p, 78, &bytes, &n, NULL);
	if (ok) {
		fputs("data:image/jpeg;base64,", f);
		base64(f, bytes, n);
	}
	imgsearch_bytes_free(bytes);
	imgsearch_picture_free(p);
	return ok;
}

void html_json(FILE *f, const char *text)
{
	for (; *text; text++)
		if (*text == '<')
			fputs("\\u003c", f);
		else
			putc(*text, f);
}
