/*
 * What a run takes in and leaves out: the patterns that are given to it, and those that the index
 * remembers for each root.
 */
#ifndef IMS_INGEST_RULES_H
#define IMS_INGEST_RULES_H

#include "files/patterns.h"
#include "ingest/counts.h"
#include "ingest/plan.h"

/* The patterns of one option. */
typedef struct run_patterns {
	store_list list;
	const char *const *given; /* borrowed; NULL: none */
	size_t n;
	bool forget;          /* what is remembered goes first */
	bool *matched;        /* (n), owned */
	path_patterns active; /* of the root that is walked */
} run_patterns;

typedef struct run_rules {
	run_patterns include, exclude;
} run_rules;

/* ims_rules_free frees it, also on failure. ENOMEM. */
int ims_rules_init(run_rules *r, const imgsearch_index_update_options *options,
	imgsearch_error *err);
void ims_rules_free(run_rules *r);

/*
 * Within a transaction: stores the patterns that are given with the roots of the plan. EINVAL: an
 * absolute one is outside of every root, or is one. EDB, EIO, ENOMEM.
 */
int ims_rules_store(run_rules *r, index_plan *p, imgsearch_error *err);

/*
 * Within a transaction: adds what is remembered of root number `from` to that of `into` around it
 * as rules of its folder `below`: what is left out, what is switched on (switches.h), and what may
 * be absent for a while, as that folder may. EDB, EIO, ENOMEM.
 */
int ims_rules_merge(index_plan *p, size_t from, size_t into, const char *below);

/* Makes the patterns of a root active. ENOMEM. */
int ims_rules_begin(run_rules *r, index_plan *p, const index_start *start, imgsearch_error *err);

/* After the walk of that root: notes which of those given matched. ENOMEM. */
int ims_rules_end(run_rules *r, const index_start *start, imgsearch_error *err);

/* Copies those that matched nothing into the counts. ENOMEM. */
int ims_rules_unmatched(const run_rules *r, run_counts *counts, imgsearch_error *err);

#endif
