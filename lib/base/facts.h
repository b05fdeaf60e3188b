/*
 * What a picture says of itself, as texts by name: docs/metadata.md. One thread at a time.
 */
#ifndef IMS_BASE_FACTS_H
#define IMS_BASE_FACTS_H

#include <stdbool.h>
#include <stddef.h>

enum {
	FACT_DATE,
	FACT_ZONE,
	FACT_DATE_FROM,
	FACT_CAMERA,
	FACT_LENS,
	FACT_LATITUDE,
	FACT_LONGITUDE,
	FACT_RATING,
	FACT_KEYWORDS,
	FACT_TITLE,
	FACT_DESCRIPTION,
	FACTS
};

/* All zero: nothing is known. */
typedef struct facts {
	char *value[FACTS]; /* owned, UTF-8; NULL: not known */
	bool nomem;         /* something is missing, since memory was short */
} facts;

extern const char *const ims_fact_names[FACTS];

/* The number of the fact of this name, whatever its case; -1: there is none. */
int ims_fact_find(const char *name);

void ims_facts_clear(facts *f); /* frees the values */

/* Adds what is not known yet of the facts in *from, which becomes empty. */
void ims_facts_merge(facts *f, facts *from);

/* Sets a value that is not known yet, and becomes the owner of text; NULL is fine. */
void ims_facts_set(facts *f, int fact, char *text);

/*
 * Sets the date, its zone and its origin, where no date is known and text is one. Where the same
 * wall clock is known without a zone, the zone is taken. zone: of the text alone where it is NULL.
 */
void ims_facts_set_date(facts *f, const char *text, const char *zone, const char *from);

/* Sets a position in degrees, where none is known and it is valid: on the globe, and not 0, 0. */
void ims_facts_set_position(facts *f, double latitude, double longitude);

/* Bytes that the values take. */
size_t ims_facts_size(const facts *f);

#endif
