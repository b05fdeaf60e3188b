/*
 * The table of connections, with sockets, a clock and addresses of the test's own: limits of
 * seconds, and other machines.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <sys/socket.h>

static int peer_name(int fd, struct sockaddr *a, socklen_t *size);
#define getpeername peer_name
#include "cli/serve/connections.c"

#include "test.h"

#include <unistd.h>

enum { MOST = 4, OF_ONE = 2, ALL = 5 * MOST };

static double now;
static int ends[ALL][2];              /* socket pairs: that of the server, that of the client */
static uint32_t machine[ALL];         /* 0: this one, by a unix socket */
static union MHD_ConnectionInfo info; /* of the last question */

double clock_seconds(void)
{
	return now;
}

/* A connection is known by its number, from 1. */
static struct MHD_Connection *number(size_t i)
{
	return (struct MHD_Connection *)(uintptr_t)i;
}

const union MHD_ConnectionInfo *MHD_get_connection_info(struct MHD_Connection *c,
	enum MHD_ConnectionInfoType type, ...)
{
	(void)type;
	info.connect_fd = ends[(uintptr_t)c - 1][0];
	return &info;
}

static int peer_name(int fd, struct sockaddr *a, socklen_t *size)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_un {
		sa_family_t family;
	} local = { AF_UNIX };
	size_t i = 0;
	while (ends[i][0] != fd)
		i++;
	v4.sin_addr.s_addr = htonl(machine[i]);
	*size = machine[i] ? sizeof v4 : sizeof local;
	memcpy(a, machine[i] ? (void *)&v4 : (void *)&local, *size);
	return 0;
}

static const char *const proxies[] = { "10.0.0.9", "::1" };

static int set_up(void **state)
{
	const connections_limits limits = { MOST, OF_ONE, 60, proxies, 2 };
	now = 1000;
	memset(machine, 0, sizeof machine);
	for (size_t i = 0; i < ALL; i++)
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends[i]), 0);
	return !(*state = connections_new(&limits));
}

static int tear_down(void **state)
{
	connections_free(*state);
	for (size_t i = 0; i < ALL; i++) {
		close(ends[i][0]);
		if (ends[i][1] >= 0)
			close(ends[i][1]);
	}
	return 0;
}

/* Whether the server has ended a connection. */
static bool ended(size_t i)
{
	char byte;
	return recv(ends[i - 1][1], &byte, 1, MSG_DONTWAIT) == 0;
}

static void open_many(connections *t, size_t from, size_t to)
{
	for (size_t i = from; i <= to; i++, now += 1)
		connections_open(t, number(i));
}

static void test_newcomer(void **state)
{
	connections *t = *state;
	open_many(t, 1, MOST);
	connections_receiving(t, number(1));
	connections_idle(t, number(2)); /* a moment ago: 3 has been idle for longest */
	connections_open(t, number(5));
	assert_true(ended(3));
	assert_false(ended(1) || ended(2) || ended(4));
	assert_false(connections_refused(t, number(5)));
	now += 1;
	connections_open(t, number(6)); /* 3 is not closed yet, and does not count */
	assert_true(ended(4));
	assert_false(connections_refused(t, number(6)));
}

static void test_none_idle(void **state)
{
	connections *t = *state;
	open_many(t, 1, MOST);
	connections_receiving(t, number(1));
	connections_busy(t, number(2), NULL);
	connections_sending(t, number(3), 60);
	connections_receiving(t, number(4));
	connections_open(t, number(5));
	assert_true(connections_refused(t, number(5)));
	for (size_t i = 1; i <= MOST; i++)
		assert_false(ended(i) || connections_refused(t, number(i)));
	connections_close(t, number(4));
	connections_open(t, number(6)); /* the one that was refused does not count */
	assert_false(connections_refused(t, number(6)));
}

static void test_full(void **state)
{
	connections *t = *state;
	for (size_t i = 1; i <= 4 * MOST + 1; i++) {
		connections_open(t, number(i));
		connections_receiving(t, number(i));
	}
	assert_true(connections_refused(t, number(4 * MOST + 1)));
}

static void test_one_machine(void **state)
{
	connections *t = *state;
	machine[0] = machine[1] = machine[2] = 0x0a000001;
	machine[3] = 0x0a000002;
	open_many(t, 1, 4);
	assert_false(connections_refused(t, number(2)));
	assert_true(connections_refused(t, number(3)));
	assert_false(connections_refused(t, number(4)));
	connections_close(t, number(1));
	machine[4] = 0x0a000001;
	connections_open(t, number(5));
	assert_false(connections_refused(t, number(5)));
}

/* Over the unix socket there is room, whoever comes over TCP. */
static void test_socket(void **state)
{
	connections *t = *state;
	for (size_t i = 1; i <= MOST; i++) {
		machine[i - 1] = 0x7f000001;
		connections_open(t, number(i));
		connections_receiving(t, number(i));
	}
	connections_open(t, number(MOST + 1));
	assert_false(connections_refused(t, number(MOST + 1)));
	machine[MOST + 1] = 0x7f000001;
	connections_open(t, number(MOST + 2));
	assert_true(connections_refused(t, number(MOST + 2)));
	assert_false(ended(MOST + 1));
}

static void test_no_limit_of_one(void **state)
{
	connections *t = *state;
	const uint32_t free_of_limits[] = { 0, 0x7f000001, 0x0a000009 };
	for (size_t k = 0; k < 3; k++) {
		for (size_t i = 1; i <= OF_ONE + 1; i++) {
			machine[i - 1] = free_of_limits[k];
			connections_open(t, number(i));
			assert_false(connections_refused(t, number(i)));
		}
		for (size_t i = 1; i <= OF_ONE + 1; i++)
			connections_close(t, number(i));
	}
}

static void test_deadlines(void **state)
{
	connections *t = *state;
	open_many(t, 1, 4); /* at 1000 to 1003 */
	now = 1050;
	connections_receiving(t, number(2)); /* its time began when it was idle */
	connections_busy(t, number(3), NULL);
	connections_sending(t, number(4), 10);
	connections_check(t);
	assert_false(ended(1) || ended(2) || ended(3) || ended(4));
	now = 1061.5;
	connections_check(t);
	assert_true(ended(1) && ended(2) && ended(4));
	now = 5000;
	connections_check(t);
	assert_false(ended(3));
	connections_idle(t, number(3)); /* its answer was sent */
	now = 5059;
	connections_check(t);
	assert_false(ended(3));
	now = 5061;
	connections_check(t);
	assert_true(ended(3));
}

static bool is_set(const imgsearch_cancel_token *token)
{
	const imgsearch_call call = { .struct_size = sizeof call,
		.cancel = (imgsearch_cancel_token *)(uintptr_t)token };
	stop_token stop = ims_stop_token(NULL, &call);
	return ims_stopped(&stop) != 0;
}

static void test_client_leaves(void **state)
{
	connections *t = *state;
	imgsearch_cancel_token *one, *two;
	assert_int_equal(imgsearch_cancel_token_new(&one, NULL), 0);
	assert_int_equal(imgsearch_cancel_token_new(&two, NULL), 0);
	open_many(t, 1, 2);
	connections_busy(t, number(1), one);
	connections_busy(t, number(2), two);
	connections_check(t);
	assert_false(is_set(one) || is_set(two));
	close(ends[0][1]);
	ends[0][1] = -1;
	shutdown(ends[1][1], SHUT_WR);
	connections_check(t);
	assert_true(is_set(one));
	assert_false(is_set(two)); /* it may read the answer */
	now += 2.5;
	connections_check(t);
	assert_true(is_set(two));
	connections_sending(t, number(1), 60);
	connections_sending(t, number(2), 60);
	imgsearch_cancel_token_free(two);
	assert_int_equal(imgsearch_cancel_token_new(&two, NULL), 0);
	connections_open(t, number(3));
	connections_busy(t, number(3), two);
	connections_cancel(t);
	assert_true(is_set(two));
	imgsearch_cancel_token_free(one);
	imgsearch_cancel_token_free(two);
}

/* After its request a token may be freed. */
static void test_token_is_dropped(void **state)
{
	connections *t = *state;
	imgsearch_cancel_token *token;
	assert_int_equal(imgsearch_cancel_token_new(&token, NULL), 0);
	connections_open(t, number(1));
	connections_busy(t, number(1), token);
	connections_sending(t, number(1), 60);
	imgsearch_cancel_token_free(token);
	close(ends[0][1]);
	ends[0][1] = -1;
	connections_check(t);
	connections_cancel(t);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_newcomer),
		TEST(test_none_idle),
		TEST(test_full),
		TEST(test_one_machine),
		TEST(test_socket),
		TEST(test_no_limit_of_one),
		TEST(test_deadlines),
		TEST(test_client_leaves),
		TEST(test_token_is_dropped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
