/* The answer to a query as JSON. */
#include "cli/output/hits.h"

#include "cli/output/missing.h"
#include "cli/output/paths.h"

#include <math.h>

static void write_region(json_writer *j, const imgsearch_region *r)
{
	json_write_open(j, "region", '{');
	json_write_int(j, "x", r->x);
	json_write_int(j, "y", r->y);
	json_write_int(j, "width", r->width);
	json_write_int(j, "height", r->height);
	json_write_int(j, "picture_width", r->picture_width);
	json_write_int(j, "picture_height", r->picture_height);
	json_write_close(j, '}');
}

static void write_hit(json_writer *j, size_t rank, const imgsearch_hit *h)
{
	json_write_open(j, NULL, '{');
	json_write_int(j, "rank", (int64_t)rank);
	json_write_int(j, "id", h->id);
	json_write_path(j, "path", h->path);
	json_write_float(j, "score", h->score);
	if (h->title)
		json_write_text(j, "title", h->title);
	json_write_columns(j, h->columns);
	paths_write_json(j, h->path, h->paths);
	if (h->region)
		write_region(j, h->region);
	if (!isnan(h->chance))
		json_write_estimate(j, "chance", h->chance);
	json_write_close(j, '}');
}

void hits_write_query(json_writer *j, const char *query, const char *path)
{
	json_write_path(j, "query", query);
	if (path)
		json_write_path(j, "query_path", path);
}

static void write_input(json_writer *j, const imgsearch_input *in)
{
	json_write_open(j, NULL, '{');
	switch (in->kind) {
	case IMGSEARCH_INPUT_KIND_FILE:
		json_write_path(j, "path", in->path);
		break;
	case IMGSEARCH_INPUT_KIND_ITEM:
		json_write_int(j, "id", in->id);
		break;
	case IMGSEARCH_INPUT_KIND_TEXT:
		json_write_text(j, "text", in->text);
		break;
	default:
		break;
	}
	json_write_float(j, "weight", in->weight != 0 ? in->weight : 1);
	if (in->crop[2]) {
		json_write_open(j, "crop", '[');
		for (size_t i = 0; i < 4; i++)
			json_write_int(j, NULL, in->crop[i]);
		json_write_close(j, ']');
	}
	json_write_close(j, '}');
}

static void write_inputs(json_writer *j, const hits_inputs *inputs)
{
	json_write_open(j, "inputs", '[');
	for (size_t i = 0; i < inputs->n; i++)
		write_input(j, &inputs->input[i]);
	json_write_close(j, ']');
}

void hits_write_json(FILE *f, const char *query, const char *path, const hits_inputs *inputs,
	const char *warning, const imgsearch_hits *hits)
{
	json_writer j;
	json_write_begin(&j, f);
	hits_write_query(&j, query, path);
	if (inputs && inputs->n > 1)
		write_inputs(&j, inputs);
	if (warning)
		json_write_text(&j, "warning", warning);
	json_write_text(&j, "searcher", hits->searcher);
	json_write_bool(&j, "exact", hits->exact);
	json_write_text(&j, "plan", hits->plan);
	missing_write_json(&j, hits->missing);
	json_write_bool(&j, "reranked", hits->reranked);
	json_write_int(&j, "better_than_chance", (int64_t)hits->better_than_chance);
	json_write_open(&j, "results", '[');
	for (size_t i = 0; i < hits->count; i++)
		write_hit(&j, i + 1, hits->items[i]);
	json_write_close(&j, ']');
	json_write_end(&j);
}
