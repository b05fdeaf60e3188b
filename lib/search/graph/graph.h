/*
 * The graph searcher: one flat graph with the pruning of Vamana (Subramanya et al. 2019, DiskANN) over quantised rows,
 * changed in place as in FreshDiskANN (Singh et al. 2021). It has no layers; searches begin at several entry points.
 * docs/graph.md tells how it works. The files, in the order in which a row and a query meet them:
 *   code.c    rows and queries as 8-bit codes on the leading principal components; distances between codes
 *   beam.c    greedy search with a beam over codes
 *   link.c    robust prune; links for batches of new nodes
 *   build.c   the graph of a whole collection
 *   change.c  adding, marking deleted, consolidating
 *   query.c   candidates by code, re-ranked by full rows; filters; batches
 *   tune.c    the beam width that reaches a recall, measured
 *   state.c   saving and loading
 *   graph.c   the table of functions
 *
 * A node is a slot: id, code, links. The wrapper's lock keeps queries and changes apart.
 */
#ifndef IMS_SEARCH_GRAPH_H
#define IMS_SEARCH_GRAPH_H

#include "kernels/kernels.h"
#include "search/internal.h"
#include "search/lease.h"

#define GRAPH_NONE UINT32_MAX /* ends a short list of links */
#define GRAPH_FREE INT64_MIN  /* the id of a slot without a row */

enum {
	GRAPH_SLOTS = INT32_MAX,
	GRAPH_DEGREE = 32, GRAPH_DEGREE_MAX = 128,
	GRAPH_BEAM = 100, GRAPH_BEAM_MAX = 1000,
	GRAPH_EF_MAX = 4096,
	GRAPH_FETCH = 32, /* full rows read at once */
	GRAPH_LEVELS = 16 /* rows of the tuning table, at most */
};

/* ------------------------------------------------------------------------------------------------- codes ---- */

/*
 * A code: `parts` bytes 128 + round(component / step), then 128s, and in its last four bytes what the distance needs
 * besides the dot product, in units of 2 step^2. Distances between codes are integers in that unit.
 * A detail: two bits for each dimension, and four bytes: the factor (8 bits) and a constant (24).
 */
typedef struct graph_coder {
	uint32_t dim, parts, size; /* size: bytes of a code, a multiple of 64 */
	uint32_t axis_size;        /* bytes of an axis: dim rounded up to 256 */
	uint32_t detail_size;      /* bytes of a detail */
	bool augmented;            /* inner product: the last part makes all rows equally long */
	float step, axis_step;
	float length;              /* of the longest row, where augmented */
	float detail_top;          /* the largest factor */
	float *mean;               /* dim */
	uint8_t *axes;             /* parts rows of 128 + round(axis / axis_step) */
	/* made from these: */
	uint8_t *turned;           /* dim rows of `size`: the axes, transposed */
	float detail_factor[256];
} graph_coder;

/* A query as codes are asked: `code` has coder->size bytes. distance ~ base + unit * (node's constant - dot). */
typedef struct graph_probe {
	int8_t *code;
	const int8_t *small; /* for the details: the query in the rows' coordinates, rounded; lies in the room */
	int32_t small_sum;
	float small_step;
	float base, unit;
	float slack;         /* what the left out part may change a distance by, if rows leave out as much */
} graph_probe;

void ims_graph_coder_shape(graph_coder *c, uint32_t dim, bool augmented);
int ims_graph_coder_alloc(graph_coder *c, imgsearch_error *err);
int ims_graph_coder_fit(graph_coder *c, const row_source *rows, const search_params *p, job *job, imgsearch_error *err);
void ims_graph_coder_ready(graph_coder *c); /* what is made from the rest */
void ims_graph_coder_free(graph_coder *c);
size_t ims_graph_coder_room(const graph_coder *c); /* bytes of temporary memory that encoding takes */
/* Both take `room` from above, 64-byte aligned. */
void ims_graph_encode(const graph_coder *c, const float *row, uint8_t *code, uint8_t *detail, void *room);
void ims_graph_probe(const graph_coder *c, const float *query, graph_probe *out, void *room);
/* Better distances of n nodes from their details and their codes' distances. */
void ims_graph_details(const graph_coder *c, const graph_probe *q, const uint8_t *details, const uint32_t *slot, const int32_t *distance, size_t n, float *out);

/* The code's constant. */
static inline int32_t ims_graph_constant(const uint8_t *code, uint32_t size)
{
	int32_t v;
	memcpy(&v, code + size - 4, 4);
	return v;
}

/* A node's code turned into a query of other nodes' codes. */
void ims_graph_turn(const uint8_t *code, uint32_t size, int8_t *out, int32_t *sum);

/* --------------------------------------------------------------------------------------------------- beam ---- */

/* A node at a code distance, as one number that sorts by distance, then slot; the lowest bit: already expanded. */
typedef uint64_t graph_item;

static inline graph_item ims_graph_item(int32_t distance, uint32_t slot)
{
	return (uint64_t)((uint32_t)distance ^ 0x80000000u) << 32 | (uint64_t)slot << 1;
}
static inline uint32_t ims_graph_slot(graph_item i)
{
	return (uint32_t)i >> 1;
}
static inline int32_t ims_graph_distance(graph_item i)
{
	return (int32_t)((uint32_t)(i >> 32) ^ 0x80000000u);
}

/* The nearest `room` of what was pushed, sorted. */
typedef struct graph_list {
	graph_item *item;
	size_t n, room, cap;
	size_t next; /* none before it is unexpanded */
} graph_list;

/* What a search needs on one thread. */
typedef struct graph_scratch {
	lease lease;
	size_t slots;        /* that seen has bits for */
	uint64_t *seen;      /* all clear between searches */
	graph_list beam;     /* what to expand next */
	graph_list accepted; /* only what passes, where not all does */
	graph_item *trail;   /* nodes in order of their expansion */
	size_t trail_n, trail_cap;
	uint32_t *touched;   /* to clear seen */
	size_t touched_n, touched_cap;
	graph_item *pool;    /* candidates of a pruning */
	size_t pool_cap;
	int32_t *dots;
	uint32_t *fresh;     /* neighbours of two nodes: to score, and to score next */
	int8_t *code, *other; /* a probe's code; a turned node's */
	void *room;
	float *rows;         /* full rows of a re-ranking */
	uint8_t *found;
	bool failed;         /* memory ran out during a search: its result is short */
} graph_scratch;

typedef struct graph graph;

/* Which nodes may be in the answer. */
typedef struct graph_filter {
	const search_request *request; /* NULL: every live node */
} graph_filter;

/*
 * The ef nearest nodes that the search meets, in beam (or accepted, when a filter is given). Starts from the nearest
 * entries. With keep_trail the expanded nodes are noted too.
 */
const graph_list *ims_graph_search(const graph *g, graph_scratch *s, const int8_t *query, size_t ef, const graph_filter *filter, bool keep_trail);
void ims_graph_list_push(graph_list *l, graph_item item);
int ims_graph_list_room(graph_list *l, size_t room);

int ims_graph_scratch_acquire(const graph *g, graph_scratch **out, imgsearch_error *err);
void ims_graph_scratch_release(const graph *g, graph_scratch *s);
void ims_graph_scratch_free(void *scratch);

/* --------------------------------------------------------------------------------------------- the graph ---- */

typedef struct graph_level {
	float recall_in, recall_out; /* measured: of stored rows as queries, and of those far from their neighbours */
	uint32_t ef;
	float margin;
	float seconds;               /* stored and not used; 0 */
} graph_level;

struct graph {
	searcher base;
	graph_coder coder;
	uint32_t degree, stride;   /* links a node keeps; room for links in a row */
	uint32_t beam;             /* while building and adding */
	float alpha;
	size_t n, room, live;      /* slots: in use or free again, allocated, with a row that was not removed */
	int64_t *ids;
	uint8_t *codes;            /* room * coder.size */
	uint8_t *details;          /* room * coder.detail_size */
	uint32_t *links;           /* room * stride */
	uint64_t *deleted;         /* bits: marked deleted, still linked to */
	size_t deleted_n;
	uint32_t *free_slot;
	size_t free_n, free_room;
	uint64_t *round;           /* bits of round_n slots: those marked deleted when the round of consolidation began */
	size_t round_n, round_at;  /* round_at: the slot that is consolidated next */
	uint32_t *entry;
	size_t entries;
	uint8_t *entry_codes;      /* their codes side by side */
	uint32_t *by_id;           /* hash table of slots; made by the first writer */
	size_t by_id_room;
	graph_level level[GRAPH_LEVELS];
	uint32_t levels;
	lease_pool scratch;        /* of graph_scratch */
};

static inline const uint8_t *ims_graph_code(const graph *g, uint32_t slot)
{
	return g->codes + (size_t)slot * g->coder.size;
}
static inline uint8_t *ims_graph_detail(const graph *g, uint32_t slot)
{
	return g->details + (size_t)slot * g->coder.detail_size;
}
static inline uint32_t *ims_graph_links(const graph *g, uint32_t slot)
{
	return g->links + (size_t)slot * g->stride;
}
static inline bool ims_graph_is_deleted(const graph *g, uint32_t slot)
{
	return g->deleted[slot >> 6] >> (slot & 63) & 1;
}

int ims_graph_new(graph **out, const row_source *rows, imgsearch_error *err);
void ims_graph_free(graph *g);
int ims_graph_reserve(graph *g, size_t slots, imgsearch_error *err);
size_t ims_graph_entry_count(size_t nodes); /* how many entries a graph of so many live nodes has */
int ims_graph_entries(graph *g, const uint32_t *slots, size_t n, imgsearch_error *err);

/*
 * Links for the nodes slot[0..n), whose codes are in place: each is searched for in the graph as it is, keeps pruned
 * links, and is linked back. In batches of at most `most`, the first of at most `first` nodes (how many the graph has
 * already). Deterministic, whatever the number of threads. Progress is done + linked of total; none where total is 0.
 */
int ims_graph_link(graph *g, const uint32_t *slot, size_t n, size_t first, size_t most, float alpha, size_t beam,
	job *job, uint64_t done, uint64_t total, imgsearch_error *err);
/* Links of one node, searched for, into out (degree of them, GRAPH_NONE past the last). Uses s. */
bool ims_graph_find_links(const graph *g, graph_scratch *s, uint32_t slot, size_t beam, float alpha, uint32_t *out);
bool ims_graph_link_back(graph *g, graph_scratch *s, uint32_t target, const uint32_t *source, size_t n, float alpha);
size_t ims_graph_count(const graph *g, uint32_t slot); /* its links */

/* Of `n` candidates at s->pool (distances to `slot`, any order) the links that slot keeps; at most `max` into out. */
size_t ims_graph_prune(const graph *g, graph_scratch *s, uint32_t slot, size_t n, float alpha, uint32_t *out, size_t max);
void ims_graph_sort(graph_item *a, size_t n);
bool ims_graph_pool_room(graph_scratch *s, size_t n);
/* Some other nodes as candidates behind the first n of s->pool. */
void ims_graph_pool_add(const graph *g, graph_scratch *s, uint32_t slot, size_t n, const uint32_t *other, size_t some);

/* Links to nodes that no entry leads to. */
int ims_graph_connect(graph *g, job *job, imgsearch_error *err);

int ims_graph_build(searcher **out, const row_source *rows, const search_params *p, job *job, imgsearch_error *err);
int ims_graph_query(const searcher *s, const search_request *q, topk *out, search_report *report, imgsearch_error *err);
int ims_graph_add(searcher *s, const int64_t *ids, const float *rows, size_t n, job *job, imgsearch_error *err);
int ims_graph_remove(searcher *s, const int64_t *ids, size_t n, imgsearch_error *err);
int ims_graph_save(const searcher *s, const chunk_sink *sink, imgsearch_error *err);
int ims_graph_load(searcher **out, const row_source *rows, const chunk_source *source, imgsearch_error *err);
/* A batch through the beam, ef and margin given. */
int ims_graph_ask(const graph *g, const search_request *q, size_t ef, float margin, topk *out, search_report *report, imgsearch_error *err);
int ims_graph_tune(graph *g, const row_source *rows, job *job, imgsearch_error *err);
void ims_graph_describe(const searcher *s, char *out, size_t size);

#endif
