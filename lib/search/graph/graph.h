/*
 * The graph searcher: one flat graph with the pruning of Vamana (Subramanya et al. 2019, DiskANN)
 * over quantised rows, changed in place as in FreshDiskANN (Singh et al. 2021). Unlike HNSW (Malkov
 * and Yashunin 2018) it has no layers: searches begin at several entry points. docs/graph.md tells
 * how it works. The files, in the order in which a row and a query meet them:
 *	quantiser.h  codes of rows and queries; distances between codes
 *	list.h       nodes at a distance, sorted
 *	graph.h      the nodes: ids, codes, links, entry points
 *	scratch.h    the working memory of a search
 *	beam.h       greedy search with a beam over codes
 *	prune.h      robust prune
 *	copies.h     chains of nodes of equal code
 *	link.h       links for batches of new nodes
 *	connect.h    links to nodes that cannot be reached
 *	build.h      the graph of all rows of a source
 *	change.h     adding, marking deleted, consolidating
 *	query.h      candidates by code, re-ranked by full rows; filters; batches
 *	tune.h       the beam width that reaches a recall, measured
 *	state.h      saving and loading
 *	graph.c      memory of the graph; the table of functions
 *
 * A node is a slot: id, code, residual code, links. The wrapper's lock keeps queries and changes
 * apart: queries run side by side, a change runs alone.
 */
#ifndef IMS_SEARCH_GRAPH_H
#define IMS_SEARCH_GRAPH_H

#include "search/graph/quantiser.h"
#include "search/internal.h"
#include "search/lease.h"

#define GRAPH_NONE UINT32_MAX /* ends a short list of links */
#define GRAPH_FREE INT64_MIN  /* the id of a slot without a row */

enum {
	GRAPH_SLOTS = INT32_MAX,
	GRAPH_EF_MAX = 4096,
	GRAPH_CLASSES = 4, /* of queries, by contrast */
	GRAPH_POINTS = 80  /* operating points, at most */
};

/*
 * The beam width and the margin that queries of one class need for a recall. The points of a recall
 * follow each other, from the easiest class to the hardest: a query belongs to the first one whose
 * contrast it has, or to the last one, whose contrast is 0. Files of before have one class.
 */
typedef struct graph_operating_point {
	float recall_in;  /* measured with the points of this recall: of stored rows as queries */
	float recall_out; /* of queries that are far from their neighbours */
	uint32_t ef;
	float margin;
	float contrast;
} graph_operating_point;

typedef struct graph {
	searcher base;
	graph_quantiser quantiser;
	uint32_t degree, stride; /* links that a node keeps; room for links of a node */
	uint32_t beam;           /* width while building and adding */
	float alpha;             /* of robust prune */
	size_t n;                /* slots in use, or free again */
	size_t room;             /* slots allocated */
	size_t live;             /* slots with a row that is not removed */
	int64_t *ids;
	uint8_t *codes;     /* room * quantiser.size */
	uint8_t *residuals; /* room * quantiser.residual_size */
	uint32_t *links;    /* room * stride */
	uint64_t *deleted;  /* bits: marked deleted, still linked to */
	size_t deleted_n;
	uint32_t *free_slot;
	size_t free_n, free_room;
	uint64_t *round; /* bits of round_n slots: deleted when consolidation began its round */
	size_t round_n, round_at; /* round_at: the slot that is consolidated next */
	uint32_t *entry;          /* slots of the entry points */
	size_t entries;
	uint8_t *entry_codes; /* their codes side by side */
	uint32_t *by_id;      /* hash table of slots; the first change makes it */
	size_t by_id_room;
	uint32_t *before; /* room: the copy before a copy; the first change makes it: copies.h */
	size_t copies;    /* nodes that have one before them */
	graph_operating_point point[GRAPH_POINTS]; /* by rising recall, then falling contrast */
	uint32_t points;
	lease_pool scratch; /* of graph_scratch */
} graph;

static inline const uint8_t *ims_graph_code(const graph *g, uint32_t slot)
{
	return g->codes + (size_t)slot * g->quantiser.size;
}
static inline uint8_t *ims_graph_residual(const graph *g, uint32_t slot)
{
	return g->residuals + (size_t)slot * g->quantiser.residual_size;
}
static inline uint32_t *ims_graph_links(const graph *g, uint32_t slot)
{
	return g->links + (size_t)slot * g->stride;
}
static inline bool ims_graph_is_deleted(const graph *g, uint32_t slot)
{
	return g->deleted[slot >> 6] >> (slot & 63) & 1;
}

/* How many links a node has. */
size_t ims_graph_count(const graph *g, uint32_t slot);

/* An empty graph. ims_graph_free releases *out after a failure too; NULL is fine. */
int ims_graph_new(graph **out, const row_source *rows, imgsearch_error *err);
void ims_graph_free(graph *g);

/* Room for so many slots. New slots have no links. ELIMIT: more than GRAPH_SLOTS. */
int ims_graph_reserve(graph *g, size_t slots, imgsearch_error *err);
/* The same for a graph without slots, whose links in all of them the caller writes. */
int ims_graph_reserve_unset(graph *g, size_t slots, imgsearch_error *err);

/* Makes n slots the entry points. g->entry has room for one more. */
int ims_graph_entries(graph *g, const uint32_t *slots, size_t n, imgsearch_error *err);

#endif
