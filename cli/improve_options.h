/* The options of query and eval that improve answers: rows for their tables. */
#ifndef IMGSEARCH_CLI_IMPROVE_OPTIONS_H
#define IMGSEARCH_CLI_IMPROVE_OPTIONS_H

#include "cli/option/option.h"

/* AT(member): offset of a member in the struct of the command, which has `options`. */
#define IMPROVE_OPTIONS(AT) \
	{ "expand", 0, OPT_UINT, AT(options.expand), "N", \
		.help = "query expansion: search again with the mean of the query and its " \
				"first N results", \
		.min = 1, .max = IMGSEARCH_EXPAND_MAX }, \
		{ "expand-power", 0, OPT_FLOAT, AT(options.expand_power), "A", \
			.help = "with --expand: weight each result by its score to the power of A", .min = 0, \
			.max = 100 }, \
		{ "reciprocal", 0, OPT_UINT, AT(options.reciprocal), "K", \
			.help = "re-rank the first 500 results by common k-reciprocal neighbours", .min = 1, \
			.max = IMGSEARCH_RECIPROCAL_MAX }, \
	{ \
		"views", 0, OPT_UINT, AT(options.views), "N", \
			.help = "search with the mean feature of N views: the picture, its centre, its " \
					"corners", \
			.min = 1, .max = IMGSEARCH_VIEWS_MAX \
	}

#endif
