/* A map of pictures as JSON. */
#include "cli/output/map.h"

#include "cli/base/json_writer.h"
#include "cli/output/folders.h"

int map_write_json(FILE *f, imgsearch *s, const imgsearch_map *points,
	const imgsearch_filter *below, const imgsearch_call *call, imgsearch_error *err)
{
	folders by;
	json_writer j;
	int rc = folders_read(&by, s, points, below, call, err);
	if (rc)
		return rc;
	json_write_begin(&j, f);
	json_write_open(&j, "folders", '[');
	for (size_t i = 0; i < by.n; i++)
		json_write_text(&j, NULL, by.name[i]);
	json_write_close(&j, ']');
	json_write_open(&j, "points", '[');
	for (size_t i = 0; i < points->count; i++) {
		const imgsearch_map_point *p = points->items[i];
		fprintf(f, "%s[%lld,%.4f,%.4f,%u]", i ? "," : "", (long long)p->id, (double)p->x,
			(double)p->y, by.of[i]);
	}
	json_write_close(&j, ']');
	json_write_end(&j);
	folders_free(&by);
	return 0;
}
