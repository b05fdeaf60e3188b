/* The options of commands that look at some pictures only: a struct, and rows for their tables. */
#ifndef IMGSEARCH_CLI_FILTER_OPTIONS_H
#define IMGSEARCH_CLI_FILTER_OPTIONS_H

#include "cli/option/option.h"

typedef struct filter_args {
	const char *under, *after, *before, *camera, *near, *where;
	option_list keyword;
} filter_args;

/* AT(member): offset of a member in the struct of the command, which has `filter`. */
#define UNDER_OPTION(AT) \
	{ \
		"under", 'u', OPT_DIR, AT(filter.under), "DIR", .help = "only pictures below this folder" \
	}
#define CONDITION_OPTIONS(AT) \
	{ "after", 0, OPT_TEXT, AT(filter.after), "DATE", \
		.help = "only pictures taken at this date or later: 2024, 2024-05, 2024-05-03T14:05" }, \
		{ "before", 0, OPT_TEXT, AT(filter.before), "DATE", \
			.help = "only pictures taken before this date" }, \
		{ "camera", 0, OPT_TEXT, AT(filter.camera), "TEXT", \
			.help = "only pictures of a camera with this in its name" }, \
		{ "keyword", 0, OPT_LIST, AT(filter.keyword), "WORD", \
			.help = "only pictures with this keyword (may be repeated: with all of them)" }, \
		{ "near", 0, OPT_TEXT, AT(filter.near), "LAT,LON,KM", \
			.help = "only pictures taken within KM kilometres of this place" }, \
	{ \
		"where", 0, OPT_TEXT, AT(filter.where), "COND", \
			.help = "only pictures for which this holds, such as \"rating >= 4 and camera ~ " \
					"'canon'\" (~: contains; = is the whole text)" \
	}

#endif
