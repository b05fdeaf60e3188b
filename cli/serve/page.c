/* The page, as it stands in cli/serve/page, compiled in. */
#include "cli/serve/serve.h"

#include <string.h>

#define FILE_BYTES(name, path) \
	__asm__(".section .rodata\n.global page_" #name "\n.hidden page_" #name "\npage_" #name ":\n.incbin \"cli/serve/page/" path "\"\n" \
		".global page_" #name "_end\n.hidden page_" #name "_end\npage_" #name "_end:\n.byte 0\n.previous\n"); \
	extern const char page_##name[], page_##name##_end[]

FILE_BYTES(html, "index.html");
FILE_BYTES(css, "style.css");
FILE_BYTES(js, "app.js");
FILE_BYTES(map_js, "map.js");
FILE_BYTES(base_js, "base.js");
FILE_BYTES(groups_js, "groups.js");
FILE_BYTES(icon, "icon.svg");

const page_file *page_find(const char *path)
{
	static page_file files[] = {
		{ "/", "text/html; charset=utf-8", page_html, 0 },
		{ "/style.css", "text/css; charset=utf-8", page_css, 0 },
		{ "/app.js", "text/javascript; charset=utf-8", page_js, 0 },
		{ "/map.js", "text/javascript; charset=utf-8", page_map_js, 0 },
		{ "/base.js", "text/javascript; charset=utf-8", page_base_js, 0 },
		{ "/groups.js", "text/javascript; charset=utf-8", page_groups_js, 0 },
		{ "/icon.svg", "image/svg+xml", page_icon, 0 },
	};
	const char *const end[] = { page_html_end, page_css_end, page_js_end, page_map_js_end, page_base_js_end, page_groups_js_end, page_icon_end };
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		if (!strcmp(files[i].path, path)) {
			files[i].size = (size_t)(end[i] - files[i].data);
			return &files[i];
		}
	return NULL;
}
