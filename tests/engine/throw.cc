/*
 * usage: throw KIND [caught|ends|cancelled]
 *
 * A C++ exception leaves a callback of that kind, which nothing or the caller catches; or the
 * callback ends its thread. Each aborts the process: it returns 0 only where the callback was not
 * called, and is killed after ten seconds. The current folder has damaged.db, an index with a
 * problem, and the model "pets" was added.
 */
#include <imgsearch.h>

#include <cstdio>
#include <cstring>
#include <pthread.h>
#include <stdexcept>
#include <unistd.h>
#include <vector>

static const char *how = "";

static int leave()
{
	if (!strcmp(how, "ends"))
		pthread_exit(nullptr);
	if (!strcmp(how, "cancelled")) {
		pthread_cancel(pthread_self());
		pthread_testcancel();
	}
	throw std::runtime_error("of the program");
}

static int on_progress(void *, const imgsearch_progress *)
{
	return leave();
}
static void on_log(void *, int, const char *)
{
	leave();
}
static int on_filter(void *, int64_t)
{
	return leave();
}
static int on_item(void *, const imgsearch_item *)
{
	return leave();
}
static int on_model(void *, const imgsearch_model *)
{
	return leave();
}
static int on_problem(void *, const char *)
{
	return leave();
}
static int on_file(void *, const imgsearch_model_check *)
{
	return leave();
}
static int on_block(void *, const imgsearch_vectors_export_block *)
{
	return leave();
}
static int on_vectors(void *, const int64_t *, const float *, size_t, size_t)
{
	return leave();
}

static void call(const char *kind)
{
	enum { N = 3000, DIM = 16 };
	imgsearch *s = nullptr;
	imgsearch_options o = IMGSEARCH_INIT(imgsearch_options);
	imgsearch_call call = IMGSEARCH_INIT(imgsearch_call);
	imgsearch_query_options q = IMGSEARCH_INIT(imgsearch_query_options);
	imgsearch_filter filter = IMGSEARCH_INIT(imgsearch_filter);
	imgsearch_check_options check = IMGSEARCH_INIT(imgsearch_check_options);
	std::vector<float> rows(N * DIM);
	for (size_t i = 0; i < rows.size(); i++)
		rows[i] = (float)((i * 7919 + i * i % 977) % 1009) / 1009 - 0.4f;
	const char *name = "a name";
	imgsearch_input in = imgsearch_input_vector(rows.data(), DIM);
	imgsearch_index_add_options add = IMGSEARCH_INIT(imgsearch_index_add_options);
	add.name = name;
	o.threads = 3;
	imgsearch_open(":memory:", &o, nullptr, &s, nullptr);
	imgsearch_vectors_add(s, rows.data(), N, DIM, nullptr, nullptr, nullptr, nullptr);
	imgsearch_index_add(s, &in, &add, nullptr, nullptr, nullptr);
	q.filter = &filter;
	filter.accept = on_filter;
	check.problem = on_problem;
	imgsearch_hits *hits;
	imgsearch_answers *answers;
	std::vector<imgsearch_input> many(200, in);
	if (!strcmp(kind, "progress")) {
		call.progress = on_progress;
		imgsearch_build(s, nullptr, &call, nullptr, nullptr);
	} else if (!strcmp(kind, "log")) {
		const char *folder = "."; /* has a file that is no picture */
		imgsearch *other;
		call.log = on_log;
		imgsearch_open(":memory:", nullptr, nullptr, &other, nullptr);
		imgsearch_index_update(other, &folder, 1, nullptr, &call, nullptr, nullptr);
	} else if (!strcmp(kind, "filter")) {
		imgsearch_query(s, &in, 1, &q, nullptr, &hits, nullptr);
	} else if (!strcmp(kind, "filter-of-a-batch")) {
		imgsearch_batch_query(s, many.data(), many.size(), &q, nullptr, &answers, nullptr);
	} else if (!strcmp(kind, "problem")) {
		imgsearch *damaged;
		imgsearch_open("damaged.db", nullptr, nullptr, &damaged, nullptr);
		imgsearch_check(damaged, &check, nullptr, nullptr, nullptr);
	} else if (!strcmp(kind, "item")) {
		imgsearch_item_each(s, 0, on_item, nullptr, nullptr, nullptr);
	} else if (!strcmp(kind, "model")) {
		imgsearch_model_each(on_model, nullptr, nullptr);
	} else if (!strcmp(kind, "vectors")) {
		imgsearch_vectors_each(s, on_vectors, nullptr, nullptr, nullptr);
	} else if (!strcmp(kind, "export")) {
		imgsearch_vectors_export(s, nullptr, on_block, nullptr, nullptr, nullptr);
	} else if (!strcmp(kind, "verify")) {
		imgsearch_model_verify("pets", on_file, nullptr, nullptr, nullptr);
	}
	imgsearch_close(s);
}

int main(int argc, char **argv)
{
	alarm(10);
	how = argc > 2 ? argv[2] : "";
	if (strcmp(how, "caught")) {
		call(argv[1]);
		return 0;
	}
	try {
		call(argv[1]);
	} catch (const std::exception &e) {
		printf("caught: %s\n", e.what());
		return 1;
	}
	return 0;
}
