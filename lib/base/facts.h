/*
 * What a picture says of itself, as texts by name: docs/metadata.md. One thread at a time.
 */
#ifndef IMS_BASE_FACTS_H
#define IMS_BASE_FACTS_H

#include "base/date.h"

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

/* Whether a text can be a value of this fact: a date that exists, a number, or any text. */
bool ims_fact_is_valid(int fact, const char *text);

/*
 * The facts of a picture that a CSV describes, too. csv, own: what each says, NULL where that is
 * nothing. out receives pointers to their texts, to `zone` or to a constant; NULL: not known. The
 * value of the CSV wins where it is valid, or stands alone. Zone and origin of a valid date are
 * those of the CSV, and latitude and longitude come from one of the two.
 */
void ims_facts_choose(const char *out[FACTS], const char *const csv[FACTS],
	const char *const own[FACTS], char zone[ZONE_SIZE]);

/* Bytes that the values take. */
size_t ims_facts_size(const facts *f);

#endif
