/*
 * The groups that are being made, shared by the files that find pairs of each kind and make the
 * result. One thread at a time. Functions that return int return 0 or a status with its message in
 * err.
 */
#ifndef IMS_COLLECTION_GROUP_BUILDER_H
#define IMS_COLLECTION_GROUP_BUILDER_H

#include "analysis/detail.h"
#include "collection/members.h"

enum { GROUP_NEAREST = 16 }; /* rows that each row is compared with */

typedef struct edge {
	float distance;
	uint32_t a, b;
} edge;

typedef struct group_builder {
	imgsearch *s;
	job *job;
	imgsearch_error *err; /* for callbacks */
	members all;
	uint32_t *node;          /* (n): the smallest member that each member is joined with */
	uint32_t *pixels_of;     /* (n): of a node with edges of same picture: its member with pixels */
	float *longest;          /* of a node: its longest edge of the current kind */
	uint32_t (*rejected)[2]; /* pairs of members; of their nodes since the first join_nodes */
	size_t n_rejected, cap_rejected;
	edge *edges;
	size_t n_edges, cap_edges;
	const uint32_t *row_member; /* (rows of the current self-join): their members */
	imgsearch_metric metric;
	buf groups, ids, grey, links; /* the result; links have borrowed paths */
	uint64_t n_groups;
	size_t n_stale; /* files of groups that are not those of the index any more */
} group_builder;

/* A group of the result, whose ids, marks and links follow those of the groups before. */
typedef struct group_record {
	imgsearch_group group;
	size_t n_links;
	bool has_grey;
} group_record;

/* Adds an edge of the current kind between two members. ENOMEM, without a message. */
int ims_groups_add_edge(group_builder *g, uint32_t a, uint32_t b, float distance);

/* Joins nodes along the edges of a kind, and appends the groups if the kind is wanted. */
int ims_groups_join(group_builder *g, uint32_t kind, bool wanted, imgsearch_error *err);

/* Finds the pairs of a kind, and joins them. min_score 0: the one of the index's model. */
int ims_groups_join_pictures(group_builder *g, bool wanted, imgsearch_error *err);
int ims_groups_join_scenes(group_builder *g, float min_score, imgsearch_error *err);

/* A member with a signature, to be compared in detail. */
detail_side ims_groups_side(const member *m);

/* Whether two nodes of pictures, of the group_builder `user`, are one picture. */
bool ims_groups_is_one_picture(void *user, uint32_t a, uint32_t b);

/* Appends the groups of a kind to the result. label is the new number of each node. */
int ims_groups_append(group_builder *g, uint32_t kind, const uint32_t *label, imgsearch_error *err);

/* The result of all groups that were appended. */
int ims_groups_result(group_builder *g, imgsearch_groups **out, imgsearch_error *err);

#endif
