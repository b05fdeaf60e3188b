/* A picture in the terminal by libchafa, which finds out what the terminal can show. */
#include "cli/draw/preview.h"

#include <chafa.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

typedef struct terminal_size {
	gint columns, rows;           /* of the largest picture, in cells */
	gint cell_width, cell_height; /* pixels */
} terminal_size;

static ChafaPixelMode best_pixel_mode(ChafaTermInfo *term)
{
	if (chafa_term_info_have_seq(term, CHAFA_TERM_SEQ_BEGIN_KITTY_IMMEDIATE_IMAGE_V1))
		return CHAFA_PIXEL_MODE_KITTY;
	if (chafa_term_info_have_seq(term, CHAFA_TERM_SEQ_BEGIN_ITERM2_IMAGE))
		return CHAFA_PIXEL_MODE_ITERM2;
	if (chafa_term_info_have_seq(term, CHAFA_TERM_SEQ_BEGIN_SIXELS))
		return CHAFA_PIXEL_MODE_SIXELS;
	return CHAFA_PIXEL_MODE_SYMBOLS;
}

/* Pictures bring their own colours; symbols have those of the terminal. */
static ChafaCanvasMode best_canvas_mode(ChafaTermInfo *term)
{
	bool direct = chafa_term_info_have_seq(term, CHAFA_TERM_SEQ_SET_COLOR_FGBG_DIRECT);
	if (best_pixel_mode(term) != CHAFA_PIXEL_MODE_SYMBOLS || direct)
		return CHAFA_CANVAS_MODE_TRUECOLOR;
	return chafa_term_info_have_seq(term, CHAFA_TERM_SEQ_SET_COLOR_FGBG_256)
		? CHAFA_CANVAS_MODE_INDEXED_240
		: CHAFA_CANVAS_MODE_INDEXED_16;
}

/* Terminals may not report the size of their cells; most are about twice as high as wide. */
static terminal_size measure_terminal(void)
{
	terminal_size c = { .columns = 40, .rows = 14, .cell_width = 10, .cell_height = 20 };
	struct winsize w;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) || !w.ws_col || !w.ws_row)
		return c;
	c.columns = MIN(c.columns, w.ws_col);
	c.rows = MIN(c.rows, w.ws_row);
	if (w.ws_xpixel / w.ws_col >= 2 && w.ws_ypixel / w.ws_row >= 2) {
		c.cell_width = w.ws_xpixel / w.ws_col;
		c.cell_height = w.ws_ypixel / w.ws_row;
	}
	return c;
}

static ChafaCanvas *canvas_for(ChafaTermInfo *term, const imgsearch_image *p)
{
	ChafaCanvasConfig *config = chafa_canvas_config_new();
	ChafaSymbolMap *symbols = chafa_symbol_map_new();
	terminal_size c = measure_terminal();
	gint width = c.columns, height = c.rows;
	chafa_calc_canvas_geometry((gint)p->width, (gint)p->height, &width, &height,
		(gfloat)c.cell_width / (gfloat)c.cell_height, FALSE, FALSE);
	chafa_symbol_map_add_by_tags(symbols,
		CHAFA_SYMBOL_TAG_SPACE | CHAFA_SYMBOL_TAG_SOLID | CHAFA_SYMBOL_TAG_VHALF
			| CHAFA_SYMBOL_TAG_HHALF | CHAFA_SYMBOL_TAG_QUAD);
	chafa_canvas_config_set_symbol_map(config, symbols);
	chafa_canvas_config_set_geometry(config, width, height);
	chafa_canvas_config_set_pixel_mode(config, best_pixel_mode(term));
	chafa_canvas_config_set_canvas_mode(config, best_canvas_mode(term));
	chafa_canvas_config_set_cell_geometry(config, c.cell_width, c.cell_height);
	ChafaCanvas *canvas = chafa_canvas_new(config);
	chafa_symbol_map_unref(symbols);
	chafa_canvas_config_unref(config);
	return canvas;
}

static void print_rgba(const imgsearch_image *p, const uint8_t *rgba)
{
	ChafaTermInfo *term = chafa_term_db_detect(chafa_term_db_get_default(), environ);
	ChafaCanvas *canvas = canvas_for(term, p);
	chafa_canvas_draw_all_pixels(canvas, CHAFA_PIXEL_RGBA8_UNASSOCIATED, rgba, (gint)p->width,
		(gint)p->height, (gint)(4 * p->width));
	GString *text = chafa_canvas_print(canvas, term);
	fwrite(text->str, 1, text->len, stdout);
	putchar('\n');
	g_string_free(text, TRUE);
	chafa_canvas_unref(canvas);
	chafa_term_info_unref(term);
}

void preview_show(imgsearch *s, int64_t id, const imgsearch_call *call)
{
	imgsearch_input in = imgsearch_input_item(id);
	imgsearch_image *p;
	if (imgsearch_image_load(s, &in, 1024, call, &p, NULL))
		return;
	/* Pads rows to whole words: libchafa 1.12 ignores the stride and draws other widths askew. */
	size_t n = (size_t)p->width * p->height;
	uint8_t *rgba = malloc(4 * n);
	for (size_t i = 0; rgba && i < n; i++)
		memcpy(&rgba[4 * i],
			(uint8_t[]){ p->rgb[3 * i], p->rgb[3 * i + 1], p->rgb[3 * i + 2], 255 }, 4);
	if (rgba)
		print_rgba(p, rgba);
	free(rgba);
	imgsearch_image_free(p);
}
