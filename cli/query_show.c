/* imgsearch query: hits on standard output. */
#include "cli/query.h"

#include "cli/base/message.h"
#include "cli/draw/preview.h"
#include "cli/output/hits.h"
#include "cli/output/paths.h"
#include "cli/output/record.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void show_hit(const context *c, const query_args *a, const imgsearch_hit *h)
{
	if (a->preview)
		preview_show(c->s, h->id, &c->call);
	if (!a->paths)
		printf("%.4f\t", (double)(h->score + 0.0f));
	record_path(h->path);
	if (!a->paths && (h->title || h->paths))
		putchar('\t');
	if (!a->paths && h->title)
		record_title(h->title);
	if (!a->paths)
		paths_write_text(h->path, h->paths);
	record_end(c->common->nul);
}

static void note_quality(const context *c, const query_args *a, const imgsearch_hits *hits)
{
	if (hits->missing && !c->told_missing) {
		progress_clear(c->progress);
		char *names = strdup(hits->missing);
		for (char *end = names; end && (end = strchr(end, '\n'));)
			*end = ' ';
		cli_warn("these could not be reached, and what they have is left out: %s",
			names ? names : "");
		free(names);
	}
	if (!hits->count)
		context_print(c,
			strcmp(hits->plan, "empty index") ? "nothing found" : "the index is empty");
	else if (a->options.max_chance > 0 && isnan(hits->items[0]->chance))
		cli_warn("--max-chance leaves nothing out: no chances are known (see imgsearch build)");
	else if (!hits->better_than_chance)
		context_print(c, "no close match: none of these is better than chance");
	else if (hits->better_than_chance < hits->count)
		context_print(c, "from rank %zu on no better than chance", hits->better_than_chance + 1);
}

void query_show(const context *c, const query_args *a, const char *name, const char *path,
	const hits_inputs *inputs, const imgsearch_hits *hits)
{
	bool many = a->queries > 1 || a->vectors;
	if (c->common->json) {
		hits_write_json(stdout, name, path, inputs, NULL, hits);
		return;
	}
	if (!a->paths && many) {
		fputs("==> ", stdout);
		record_path(path ? path : name);
		fputs(" <==", stdout);
		record_end(c->common->nul);
	}
	for (size_t i = 0; i < hits->count; i++)
		show_hit(c, a, hits->items[i]);
	note_quality(c, a, hits);
}
