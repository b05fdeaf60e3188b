/* Handlers for information about the server and its index. */
#include "cli/serve/about.h"

#include "cli/base/json_writer.h"
#include "cli/output/counts.h"
#include "cli/output/item.h"
#include "cli/output/missing.h"
#include "cli/serve/answer.h"
#include "cli/serve/metrics.h"
#include "cli/serve/routes.h"

#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* Bytes that are free where the index's file lies; -1: it has none. */
static int64_t disk_free(const server *s)
{
	struct statvfs v;
	struct stat st;
	if (!s->db || !open_index_file(s->index, &st) || statvfs(s->db, &v))
		return -1;
	return (int64_t)v.f_bavail * (int64_t)v.f_frsize;
}

/* NULL: the index cannot be read. */
static imgsearch_info *read_info(const server *s, imgsearch_error *err)
{
	imgsearch_info *about = NULL;
	imgsearch_call call = server_call(s);
	imgsearch *index = open_index_acquire(s->index, err);
	if (!index)
		return NULL;
	if (imgsearch_info_get(index, &call, &about, err))
		open_index_note(s->index, err);
	open_index_release(s->index);
	return about;
}

/* 503 where the index cannot be read, so that a program that watches needs no JSON. */
enum MHD_Result handle_health(exchange *x)
{
	reply r;
	json_writer j;
	char address[SERVER_ADDRESS];
	imgsearch_error err = { 0 };
	server *s = x->server;
	imgsearch_info *about = read_info(s, &err);
	bool open = about != NULL;
	int64_t room = disk_free(s);
	imgsearch_info_free(about);
	json_write_begin(&j, reply_open(&r));
	server_address(s, address);
	json_write_text(&j, "status", open ? "ok" : "unready");
	json_write_text(&j, "address", address);
	json_write_int(&j, "uptime_s", (int64_t)(time(NULL) - s->started));
	json_write_int(&j, "requests", (int64_t)atomic_load(&s->requests));
	json_write_int(&j, "searches", (int64_t)atomic_load(&s->searches));
	if (!open)
		json_write_text(&j, "reason", err.message);
	json_write_bool(&j, "model_loaded", atomic_load(&s->model_loaded));
	json_write_bool(&j, "writable", !server_refuses_changes(s));
	json_write_int(&j, "index_runs", atomic_load(&s->index_runs));
	if (room >= 0)
		json_write_int(&j, "disk_free", room);
	json_write_end(&j);
	return reply_send(x, &r, open ? 200 : 503);
}

/* Resident memory in bytes; -1: not known. */
static double resident(void)
{
	unsigned long all, pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");
	bool ok = f && fscanf(f, "%lu %lu", &all, &pages) == 2;
	if (f)
		fclose(f);
	return ok ? (double)pages * (double)sysconf(_SC_PAGESIZE) : -1;
}

static void write_gauges(FILE *f, const server *s, const imgsearch_info *about)
{
	metrics_write_one(f, "imgsearch_index_open", "gauge", "1: the index can be read.",
		about != NULL);
	if (about) {
		metrics_write_one(f, "imgsearch_index_vectors", "gauge", "Vectors in the index.",
			(double)about->vectors);
		metrics_write_one(f, "imgsearch_index_bytes", "gauge", "Bytes of the index.",
			(double)about->bytes);
	}
	metrics_write_one(f, "imgsearch_index_runs", "gauge", "Index runs that are at work.",
		atomic_load(&s->index_runs));
	metrics_write_one(f, "imgsearch_requests_at_work", "gauge",
		"Requests and views that are at work.", atomic_load(&s->busy));
	metrics_write_one(f, "imgsearch_searches_total", "counter", "Searches that were answered.",
		(double)atomic_load(&s->searches));
	metrics_write_one(f, "imgsearch_body_bytes", "gauge", "Memory of the bodies of requests.",
		(double)atomic_load(&s->body_bytes));
	metrics_write_one(f, "process_start_time_seconds", "gauge", "Start of the server, Unix time.",
		(double)s->started);
	metrics_write_one(f, "process_resident_memory_bytes", "gauge", "Resident memory.", resident());
}

enum MHD_Result handle_metrics(exchange *x)
{
	reply r;
	imgsearch_error err = { 0 };
	imgsearch_info *about = read_info(x->server, &err);
	FILE *f = reply_open(&r);
	metrics_write(x->server->metrics, route_name, f);
	write_gauges(f, x->server, about);
	imgsearch_info_free(about);
	return reply_send_as(x, &r, 200, "text/plain; version=0.0.4; charset=utf-8");
}

/* Whether the index can be asked by words. */
static bool takes_words(imgsearch *s)
{
	imgsearch_network *network;
	if (imgsearch_network_get(s, &network, NULL))
		return false;
	bool takes = network->words;
	imgsearch_network_free(network);
	return takes;
}

static void write_model(json_writer *j, const imgsearch_info *of)
{
	if (!of || !of->model)
		return;
	json_write_open(j, NULL, '{');
	json_write_text(j, "name", of->model);
	json_write_int(j, "dim", of->dim);
	json_write_int(j, "vectors", (int64_t)of->vectors);
	json_write_text(j, "searcher", of->searcher);
	json_write_bool(j, "words", of->words);
	json_write_close(j, '}');
}

static void write_info(json_writer *j, const server *s, const imgsearch_info *about,
	const char *missing, bool words)
{
	const server_options *o = &s->options;
	const char *metric = about->metric == IMGSEARCH_METRIC_L2 ? "l2"
		: about->metric == IMGSEARCH_METRIC_IP                ? "ip"
															  : "cosine";
	json_write_text(j, "version", imgsearch_version_text());
	json_write_path(j, "db", about->path);
	json_write_int(j, "bytes", (int64_t)about->bytes);
	missing_write_json(j, missing);
	json_write_int(j, "vectors", (int64_t)about->vectors);
	json_write_int(j, "dim", about->dim);
	json_write_text(j, "metric", metric);
	json_write_text(j, "model", about->model);
	json_write_open(j, "models", '[');
	write_model(j, about);
	write_model(j, about->second);
	json_write_close(j, ']');
	json_write_text(j, "searcher", about->searcher);
	json_write_text(j, "kernels", about->kernels);
	json_write_open(j, "counts", '{');
	counts_write_states(j, about->counts);
	json_write_int(j, "offline", (int64_t)about->offline);
	json_write_close(j, '}');
	json_write_open(j, "roots", '[');
	for (size_t i = 0; i < about->roots->count; i++)
		json_write_text(j, NULL, about->roots->items[i]->path);
	json_write_close(j, ']');
	json_write_bool(j, "words", words);
	json_write_bool(j, "uploads", server_takes_uploads(s));
	json_write_bool(j, "writable", !server_refuses_changes(s));
	json_write_int(j, "max_upload", (int64_t)o->max_upload);
}

enum MHD_Result handle_info(exchange *x)
{
	imgsearch_error err = { 0 };
	imgsearch_info *about;
	reply r;
	json_writer j;
	imgsearch *s = open_index_acquire(x->server->index, &err);
	if (!s)
		return answer_library_error(x, &err);
	imgsearch_call call = exchange_call(x);
	int rc = imgsearch_info_get(s, &call, &about, &err);
	char *missing = rc ? NULL : missing_names(s);
	bool words = !rc && takes_words(s);
	open_index_release(x->server->index);
	if (rc)
		return answer_library_error(x, &err);
	json_write_begin(&j, reply_open(&r));
	write_info(&j, x->server, about, missing, words);
	json_write_end(&j);
	free(missing);
	imgsearch_info_free(about);
	return reply_send(x, &r, 200);
}

enum MHD_Result handle_sample(exchange *x)
{
	enum { MOST = 200, DEFAULT = 24 };
	int64_t ids[MOST];
	int64_t n = DEFAULT, seed = 0;
	enum MHD_Result refused;
	imgsearch_error err = { 0 };
	reply r;
	json_writer j;
	if (!answer_unless_whole(x, "n", 1, MOST, &n, &refused)
		|| !answer_unless_whole(x, "seed", 0, INT64_MAX, &seed, &refused))
		return refused;
	imgsearch *s = open_index_acquire(x->server->index, &err);
	if (!s)
		return answer_library_error(x, &err);
	imgsearch_call call = exchange_call(x);
	size_t count = sample_choose(x->server->sample, x->server->index, s, &call, (uint64_t)seed, ids,
		(size_t)n);
	json_write_begin(&j, reply_open(&r));
	json_write_open(&j, "pictures", '[');
	for (size_t i = 0; i < count; i++)
		item_write_json(&j, s, ids[i]);
	json_write_close(&j, ']');
	json_write_end(&j);
	open_index_release(x->server->index);
	return reply_send(x, &r, 200);
}
