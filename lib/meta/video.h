/* What the readers of videos share: the values that videos have, and the names of tags. */
#ifndef IMS_META_VIDEO_H
#define IMS_META_VIDEO_H

#include "meta/meta.h"

typedef enum video_value {
	VIDEO_DATE,
	VIDEO_OTHER_DATE, /* of the work, or of no known meaning: where there is no other one */
	VIDEO_PLACE,
	VIDEO_MAKE,
	VIDEO_MODEL,
	VIDEO_TITLE,
	VIDEO_DESCRIPTION,
	VIDEO_NOTHING
} video_value;

/* Facts, and values that wait for the end. All zero but for f and from. */
typedef struct video_facts {
	facts *f;
	const char *from; /* the origin of dates */
	char *make, *model, *other_date;
} video_facts;

/* What a tag of this name has, whatever its case: names of Apple, Android, Matroska, ffmpeg. */
video_value ims_video_tag(const void *name, size_t size);

/* Takes the text of a value. Anything but UTF-8 is absent. */
void ims_video_take(video_facts *v, video_value kind, const void *text, size_t size);

/* Adds what waits, and frees it. */
void ims_video_finish(video_facts *v);

/* Sets the date to a time in UTC, in seconds from 1970 on; one before that is none. */
void ims_video_set_clock(facts *f, int64_t seconds, const char *from);

#endif
