/* The named character references of HTML 5; entities.c says how they lie there. */
#ifndef IMS_WORDS_ENTITIES_H
#define IMS_WORDS_ENTITIES_H

extern const char *const ims_entities[];

#endif
