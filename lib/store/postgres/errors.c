/*
 * Errors are told by the server's own sentence, behind the name of the index, which has no password
 * in it.
 */
#include "store/postgres/statement.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first line, without what libpq puts before it and behind. */
static void copy_line(char *out, size_t size, const char *text)
{
	size_t n = strcspn(text ? text : "", "\n");
	snprintf(out, size, "%.*s", (int)n, text ? text : "");
}

typedef struct pg_status {
	const char *state; /* the beginning of an SQLSTATE */
	int status, detail;
} pg_status;

/* detail ECONNRESET: the server is gone, and may come back. */
static pg_status status_of(const char *state)
{
	static const pg_status known[] = {
		{ "08", IMGSEARCH_EIO, ECONNRESET }, /* connection */
		{ "28", IMGSEARCH_EIO, EACCES },     /* password */
		{ "42501", IMGSEARCH_EIO, EACCES },  /* privilege */
		{ "25006", IMGSEARCH_EIO, EROFS },   /* read only */
		{ "53100", IMGSEARCH_EIO, ENOSPC },
		{ "53200", IMGSEARCH_ENOMEM, 0 },
		{ "53", IMGSEARCH_EIO, 0 }, /* too many connections */
		{ "54", IMGSEARCH_ELIMIT, 0 },
		{ "2200H", IMGSEARCH_ELIMIT, 0 }, /* no id is left */
		{ "40", IMGSEARCH_EBUSY, 0 },     /* serialisation, deadlock */
		{ "55P03", IMGSEARCH_EBUSY, 0 },
		{ "25P03", IMGSEARCH_EIO, 0 },       /* silent for too long in a transaction */
		{ "57014", IMGSEARCH_EIO, 0 },       /* past the server's limit of time */
		{ "57", IMGSEARCH_EIO, ECONNRESET }, /* shut down */
		{ "58", IMGSEARCH_EIO, 0 },
	};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (!strncmp(state, known[i].state, strlen(known[i].state)))
			return known[i];
	return (pg_status){ state, IMGSEARCH_EDB, 0 };
}

#define ABORTED "25P02" /* an earlier statement of the transaction failed */

/* Whether what failed last on this thread may succeed when it is done again. */
static _Thread_local bool passing;

/* The server went away, or two waited for each other. */
static bool may_pass(const char *state)
{
	static const char *const passing[] = { "08", "25P03", "40", "57P" };
	for (size_t i = 0; i < sizeof passing / sizeof *passing; i++)
		if (!strncmp(state, passing[i], strlen(passing[i])))
			return true;
	return false;
}

/* Of a prepared statement: there is none, there is one already, it does no longer fit. */
static bool is_forgotten(const char *state)
{
	return !strcmp(state, "26000") || !strcmp(state, "42P05") || !strcmp(state, "0A000");
}

/* The errors that the schema's functions raise: the message is an id. */
static int fail_own(pg_link *l, const char *state, const char *message, const char *detail,
	imgsearch_error *err)
{
	store *st = &l->st->base;
	int64_t id = strtoll(message, NULL, 10);
	switch (state[4]) {
	case '1':
		return ims_fail(err, IMGSEARCH_EINVAL, "the path already has another id than %lld",
			(long long)id);
	case '2':
		return ims_store_refuse_deleted(st, "the picture", id, err);
	case '3':
		return ims_store_refuse_deleted(st, "the vector", id, err);
	case '4':
		return ims_store_refuse_deleted(st, "a picture with these bytes", id, err);
	case '5':
		return ims_fail(err, IMGSEARCH_EINVAL, "index %s: picture %lld is in state %s", st->label,
			(long long)id, detail ? detail : "?");
	case '7':
		return ims_fail(err, IMGSEARCH_EBUSY,
			"index %s: this program was not heard of for too long, and others may do its work; what"
			" it did last is not written",
			st->label);
	case '8':
		return ims_fail(err, IMGSEARCH_EBUSY,
			"index %s: another program changed the model meanwhile; what this one did last is not"
			" written",
			st->label);
	case '9':
		return ims_fail(err, IMGSEARCH_EBUSY, "index %s: %s builds a searcher or moves pictures",
			st->label, detail ? detail : "another program");
	default:
		return ims_store_no_item(st, id, err);
	}
}

/* The first failure of a transaction is kept. */
static int fail_with(pg_link *l, const imgsearch_error *why, bool passes, imgsearch_error *err)
{
	if (!l->failed) {
		l->failed = why->code;
		l->why = *why;
		l->passes = passes;
	}
	passing = passes;
	if (err)
		*err = *why;
	return why->code;
}

/* What comes behind a failure fails by it. */
static bool is_known(const pg_link *l)
{
	return l->failed && l->why.code;
}

static int fail_again(const pg_link *l, imgsearch_error *err)
{
	passing = l->passes;
	if (err)
		*err = l->why;
	return l->why.code;
}

void ims_pg_clear_failure(pg_link *l)
{
	l->failed = 0;
	l->why.code = 0;
}

static const char severity_end[] = ":  "; /* of a server's message, in every language */

bool ims_pg_was_answered(const pg_link *l)
{
	return strstr(ims_libpq()->error(l->c), severity_end) != NULL;
}

/* Of several hosts, the one that answered tells why. */
static const char *telling_line(const char *message)
{
	const char *at = strstr(message, severity_end);
	while (at && at > message && at[-1] != '\n')
		at--;
	return at ? at : message;
}

/* Where a message of libpq has an SQLSTATE, which PG_ERRORS_VERBOSE puts behind the severity. */
static char *find_state(char *message)
{
	enum { LENGTH = 5 };
	char *at = strstr(message, severity_end);
	at = at ? at + strlen(severity_end) : NULL;
	return at && strspn(at, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == LENGTH && at[LENGTH] == ':'
		? at
		: NULL;
}

/* Whether a server is there and lets nobody in, for a reason that stays. */
static bool is_refusal(const pg_link *l, const char *state)
{
	bool passes = state && (may_pass(state) || !strncmp(state, "53", 2)); /* 53: has no room */
	return state ? !passes : ims_libpq()->needs_password(l->c);
}

int ims_pg_fail_connection(pg_link *l, imgsearch_error *err)
{
	char line[300];
	imgsearch_error why;
	if (is_known(l))
		return fail_again(l, err);
	copy_line(line, sizeof line, telling_line(ims_libpq()->error(l->c)));
	char *state = find_state(line);
	bool passes = !is_refusal(l, state);
	if (state) /* people see the sentence alone */
		memmove(state, state + strlen("XXXXX: "), strlen(state + strlen("XXXXX: ")) + 1);
	ims_fail(&why, IMGSEARCH_EIO, "index %s: %s", l->st->base.label, line);
	why.detail = passes ? ECONNRESET : EACCES;
	return fail_with(l, &why, passes, err);
}

int ims_pg_fail_result(pg_link *l, const pg_result *r, imgsearch_error *err)
{
	const libpq *pq = ims_libpq();
	const char *state = pq->result_field(r, PG_DIAG_SQLSTATE),
			   *message = pq->result_field(r, PG_DIAG_PRIMARY),
			   *detail = pq->result_field(r, PG_DIAG_DETAIL);
	imgsearch_error why;
	if (!state || !message)
		return ims_pg_fail_connection(l, err);
	if (!strcmp(state, ABORTED) && is_known(l))
		return fail_again(l, err);
	pg_status status = status_of(state);
	bool own = !strncmp(state, "IM", 2), denied = !strcmp(state, "42501");
	if (own)
		fail_own(l, state, message, detail, &why);
	else
		ims_fail(&why, status.status,
			denied ? "index %s: this role may not do that: %s (docs/scaling.md, Roles: the grants)"
				   : "index %s: %s",
			l->st->base.label, message);
	why.detail = own ? why.detail : status.detail;
	l->forgot |= is_forgotten(state);
	return fail_with(l, &why, may_pass(state), err);
}

bool ims_pg_failure_passes(void)
{
	return passing;
}

void ims_pg_forget_failure(void)
{
	passing = false;
}
