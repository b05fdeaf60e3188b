/* The page, compiled in. */
#include "cli/serve/page.h"

#include "cli/base/embed.h"
#include "cli/draw/plane.h"

#include <stddef.h>
#include <string.h>

EMBED(page_html, "cli/serve/page/index.html");
EMBED(page_css, "cli/serve/page/style.css");
EMBED(page_app_js, "cli/serve/page/app.js");
EMBED(page_map_js, "cli/serve/page/map.js");
EMBED(page_base_js, "cli/serve/page/base.js");
EMBED(page_groups_js, "cli/serve/page/groups.js");
EMBED(page_removed_js, "cli/serve/page/removed.js");
EMBED(page_icon, "cli/serve/page/icon.svg");

#define SCRIPT "text/javascript; charset=utf-8"

static const page_file files[] = {
	{ "/", "text/html; charset=utf-8", page_html, page_html_end },
	{ "/style.css", "text/css; charset=utf-8", page_css, page_css_end },
	{ "/app.js", SCRIPT, page_app_js, page_app_js_end },
	{ "/map.js", SCRIPT, page_map_js, page_map_js_end },
	{ "/plane.js", SCRIPT, plane_js, plane_js_end },
	{ "/base.js", SCRIPT, page_base_js, page_base_js_end },
	{ "/groups.js", SCRIPT, page_groups_js, page_groups_js_end },
	{ "/removed.js", SCRIPT, page_removed_js, page_removed_js_end },
	{ "/icon.svg", "image/svg+xml", page_icon, page_icon_end },
};

const page_file *page_find(const char *path)
{
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		if (!strcmp(files[i].path, path))
			return &files[i];
	return NULL;
}
