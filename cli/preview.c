/* imgsearch query --preview: a picture in the terminal, the best way that it knows (libchafa finds out). */
#include "cli/sheet.h"

#include <chafa.h>
#include <unistd.h>

enum { WIDE = 40, HIGH = 14 }; /* cells */

static ChafaPixelMode best_mode(ChafaTermInfo *term)
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
static ChafaCanvasMode best_colors(ChafaTermInfo *term)
{
	return best_mode(term) != CHAFA_PIXEL_MODE_SYMBOLS || chafa_term_info_have_seq(term, CHAFA_TERM_SEQ_SET_COLOR_FGBG_DIRECT) ? CHAFA_CANVAS_MODE_TRUECOLOR : CHAFA_CANVAS_MODE_INDEXED_240;
}

void preview_show(imgsearch *s, int64_t id)
{
	imgsearch_input in = imgsearch_stored(id);
	imgsearch_picture *p;
	if (imgsearch_picture_load(s, &in, 480, &p, NULL))
		return;
	ChafaTermInfo *term = chafa_term_db_detect(chafa_term_db_get_default(), environ);
	ChafaCanvasConfig *config = chafa_canvas_config_new();
	ChafaSymbolMap *symbols = chafa_symbol_map_new();
	gint width = WIDE, height = HIGH;
	chafa_calc_canvas_geometry((gint)p->width, (gint)p->height, &width, &height, 0.5f, FALSE, FALSE);
	chafa_symbol_map_add_by_tags(symbols, CHAFA_SYMBOL_TAG_SPACE | CHAFA_SYMBOL_TAG_SOLID | CHAFA_SYMBOL_TAG_VHALF | CHAFA_SYMBOL_TAG_HHALF | CHAFA_SYMBOL_TAG_QUAD);
	chafa_canvas_config_set_symbol_map(config, symbols);
	chafa_canvas_config_set_geometry(config, width, height);
	chafa_canvas_config_set_pixel_mode(config, best_mode(term));
	chafa_canvas_config_set_canvas_mode(config, best_colors(term));
	chafa_canvas_config_set_cell_geometry(config, 10, 20);
	ChafaCanvas *canvas = chafa_canvas_new(config);
	chafa_canvas_draw_all_pixels(canvas, CHAFA_PIXEL_RGB8, p->rgb, (gint)p->width, (gint)p->height, (gint)(3 * p->width));
	GString *text = chafa_canvas_print(canvas, term);
	fwrite(text->str, 1, text->len, stdout);
	putchar('\n');
	g_string_free(text, TRUE);
	chafa_canvas_unref(canvas);
	chafa_symbol_map_unref(symbols);
	chafa_canvas_config_unref(config);
	chafa_term_info_unref(term);
	imgsearch_picture_free(p);
}
