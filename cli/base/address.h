/* The address of an index on a server: postgresql://… That of an index of shards has several lines. */
#ifndef IMGSEARCH_CLI_ADDRESS_H
#define IMGSEARCH_CLI_ADDRESS_H

#include <stdbool.h>

bool address_is(const char *db);

/*
 * The address as it may be shown: without a password; several have commas between them. That of a
 * file is its path. malloc'd, NULL: out of memory.
 */
char *address_public(const char *db);

#endif
