#include "cli/base/address.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool address_is(const char *db)
{
	return !strncmp(db, "postgresql://", 13) || !strncmp(db, "postgres://", 11);
}

static void cut(char *from, const char *to)
{
	memmove(from, to, strlen(to) + 1);
}

/* The password between user and host: from its colon to the @. */
static void cut_of_user(char *authority)
{
	char *end = authority + strcspn(authority, "/?"), *at = end, *colon;
	while (at > authority && at[-1] != '@')
		at--;
	if (at == authority)
		return;
	colon = memchr(authority, ':', (size_t)(at - authority));
	if (colon)
		cut(colon, at - 1);
}

/* Each parameter of that name, with what separates it from the next one. */
static void cut_parameter(char *query, const char *name)
{
	for (char *at = query; *at;) {
		size_t length = strcspn(at, "&");
		bool found = !strncmp(at, name, strlen(name));
		if (found)
			cut(at, at + length + (at[length] == '&'));
		else
			at += length + (at[length] == '&');
	}
}

static char *show_one(const char *db, size_t n)
{
	char *shown = strndup(db, n);
	if (!shown || !address_is(shown))
		return shown;
	cut_of_user(strstr(shown, "://") + 3);
	char *query = strchr(shown, '?');
	if (query) {
		cut_parameter(query + 1, "password=");
		cut_parameter(query + 1, "sslpassword=");
	}
	return shown;
}

char *address_public(const char *db)
{
	char *all = NULL;
	size_t at = 0, size = strlen(db) + strlen(", ");
	if (!address_is(db))
		return strdup(db);
	for (const char *c = db; *c; c++) /* ", " is longer than a line's end */
		size += *c == '\n';
	all = calloc(size, 1);
	while (all && *db) {
		size_t n = strcspn(db, "\n");
		char *shown = show_one(db, n);
		if (!shown) {
			free(all);
			return NULL;
		}
		at += (size_t)snprintf(all + at, size - at, "%s%s", at ? ", " : "", shown);
		free(shown);
		db += n + (db[n] == '\n');
	}
	return all;
}
