/*
 * The peers of bench-search, as far as Debian has them: `search_peers BASE QUERIES,... TRUTH,... ENGINE THREADS N` prints
 * lines like search_ours.c. Built with -DHAVE_x for what is installed.
 */
#include "bench/npy.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>
#include <time.h>

#ifdef HAVE_HNSWLIB
#include <hnswlib/hnswlib.h>
#endif
#ifdef HAVE_FAISS
#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <faiss/IndexIVFFlat.h>
#include <omp.h>
#endif
#ifdef HAVE_NANOFLANN
#include <nanoflann.hpp>
#endif
#ifdef HAVE_FLANN
#include <flann/flann.hpp>
#endif
#ifdef HAVE_ANNOY
#define __ERROR_PRINTER_OVERRIDE__(...)
#define NO_MANUAL_VECTORIZATION
#undef USE_AVX /* hnswlib's */
#undef USE_AVX512
#include <annoylib.h>
#include <kissrandom.h>
#endif

enum { K = 10 };
static unsigned threads = 1;
static size_t rows, dim;
static const float *base;
static std::vector<std::pair<npy, npy>> sets;
static std::vector<const char *> names;
static const char *engine;
static double build_s;

/* CPU seconds with one thread, so that other processes disturb less; else wall seconds. As search_ours.c. */
static double now()
{
	timespec t;
	clock_gettime(threads == 1 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &t);
	return double(t.tv_sec) + 1e-9 * double(t.tv_nsec);
}

static double resident()
{
	long pages = 0, all = 0;
	if (FILE *f = fopen("/proc/self/statm", "r")) {
		if (fscanf(f, "%ld %ld", &all, &pages) != 2)
			pages = 0;
		fclose(f);
	}
	return double(pages) * 4096 / 1e6;
}

/* search(query, n of them, ids): n * K ids. */
static void measure(const std::string &setting, size_t at_once, double megabytes, const std::function<void(const float *, size_t, int64_t *)> &search)
{
	for (size_t s = 0; s < sets.size(); s++) {
		const npy &q = sets[s].first, &t = sets[s].second;
		std::vector<int64_t> ids(q.rows * K, -1);
		double best = 1e30;
		for (int round = 0; round < 3 && best * round < 5; round++) {
			double start = now();
			for (size_t i = 0; i < q.rows; i += at_once)
				search((const float *)q.data + i * dim, std::min(at_once, q.rows - i), &ids[i * K]);
			best = std::min(best, now() - start);
		}
		size_t hit = 0;
		for (size_t i = 0; i < q.rows; i++)
			for (size_t j = 0; j < K; j++)
				for (size_t l = 0; l < K; l++)
					hit += ((const int64_t *)t.data)[i * t.columns + l] == ids[i * K + j];
		printf("%s,%s,%zu,%zu,%u,%s,%.4f,%.0f,%.1f,%.0f,\n", engine, names[s], rows, dim, threads, setting.c_str(), double(hit) / double(K * q.rows),
			double(q.rows) / best, build_s, megabytes);
		fflush(stdout);
	}
}

static const std::vector<int> widths = { 10, 16, 24, 32, 48, 64, 96, 128, 200, 300, 500 };

#ifdef HAVE_HNSWLIB
static void run_hnswlib()
{
	hnswlib::L2Space space(dim);
	double before = resident(), start = now();
	hnswlib::HierarchicalNSW<float> index(&space, rows, 16, 200);
	index.addPoint(base, 0);
	std::atomic<size_t> next{ 1 };
	auto work = [&] {
		for (size_t i; (i = next++) < rows;)
			index.addPoint(base + i * dim, i);
	};
	std::vector<std::thread> more;
	for (unsigned i = 1; i < threads; i++)
		more.emplace_back(work);
	work();
	for (auto &t : more)
		t.join();
	build_s = now() - start;
	double size = resident() - before;
	if (const char *path = getenv("SAVE"))
		index.saveIndex(path);
	for (int ef : widths) {
		index.setEf(size_t(ef));
		measure("ef " + std::to_string(ef), 1, size, [&](const float *q, size_t, int64_t *ids) {
			auto found = index.searchKnn(q, K);
			for (size_t i = 0; !found.empty(); found.pop())
				ids[i++] = int64_t(found.top().second);
		});
	}
}
#endif

#ifdef HAVE_FAISS
static void run_faiss(const std::string &kind)
{
	omp_set_num_threads(int(threads));
	double before = resident(), start = now();
	std::unique_ptr<faiss::Index> index;
	std::unique_ptr<faiss::IndexFlatL2> coarse;
	faiss::IndexHNSW *hnsw = nullptr;
	faiss::IndexIVFFlat *ivf = nullptr;
	if (kind == "faiss-flat") {
		index.reset(new faiss::IndexFlatL2(faiss::Index::idx_t(dim)));
	} else if (kind == "faiss-hnsw") {
		index.reset(hnsw = new faiss::IndexHNSWFlat(int(dim), 16));
	} else if (kind == "faiss-hnsw-sq8") {
		index.reset(hnsw = new faiss::IndexHNSWSQ(int(dim), faiss::ScalarQuantizer::QT_8bit, 16));
	} else {
		coarse.reset(new faiss::IndexFlatL2(faiss::Index::idx_t(dim)));
		index.reset(ivf = new faiss::IndexIVFFlat(coarse.get(), dim, std::max<size_t>(16, size_t(sqrt(double(rows))))));
	}
	if (hnsw)
		hnsw->hnsw.efConstruction = 200;
	if (!index->is_trained)
		index->train(faiss::Index::idx_t(std::min<size_t>(rows, 50000)), base);
	index->add(faiss::Index::idx_t(rows), base);
	build_s = now() - start;
	double size = resident() - before;
	std::vector<float> distance(64 * K);
	auto search = [&](const float *q, size_t n, int64_t *ids) { index->search(faiss::Index::idx_t(n), q, K, distance.data(), (faiss::Index::idx_t *)ids); };
	if (hnsw)
		for (int ef : widths) {
			hnsw->hnsw.efSearch = ef;
			measure("ef " + std::to_string(ef), 1, size, search);
		}
	else if (ivf)
		for (size_t probes : { 1, 2, 4, 8, 16, 32, 64 }) {
			ivf->nprobe = probes;
			measure("nprobe " + std::to_string(probes), 1, size, search);
		}
	else
		for (size_t n : { 1, 64 })
			measure(n == 1 ? "1 by 1" : "batch 64", n, size, search);
}
#endif

#ifdef HAVE_NANOFLANN
struct cloud {
	size_t kdtree_get_point_count() const { return rows; }
	float kdtree_get_pt(size_t i, size_t d) const { return base[i * dim + d]; }
	template <class B> bool kdtree_get_bbox(B &) const { return false; }
};

static void run_nanoflann()
{
	cloud points;
	double before = resident(), start = now();
	nanoflann::KDTreeSingleIndexAdaptor<nanoflann::L2_Adaptor<float, cloud>, cloud> tree(int(dim), points, nanoflann::KDTreeSingleIndexAdaptorParams(20));
	tree.buildIndex();
	build_s = now() - start;
	measure("exact", 1, resident() - before, [&](const float *q, size_t, int64_t *ids) {
		uint32_t found[K];
		float distance[K];
		size_t n = tree.knnSearch(q, K, found, distance);
		for (size_t i = 0; i < n; i++)
			ids[i] = found[i];
	});
}
#endif

#ifdef HAVE_FLANN
static void run_flann()
{
	double before = resident(), start = now();
	flann::Matrix<float> data(const_cast<float *>(base), rows, dim);
	flann::Index<flann::L2<float>> index(data, flann::KDTreeIndexParams(4));
	index.buildIndex();
	build_s = now() - start;
	double size = resident() - before;
	for (int checks : { 64, 256, 1024, 4096 })
		measure("checks " + std::to_string(checks), 1, size, [&](const float *q, size_t, int64_t *ids) {
			size_t found[K];
			float distance[K];
			flann::Matrix<size_t> out(found, 1, K);
			flann::Matrix<float> far(distance, 1, K);
			index.knnSearch(flann::Matrix<float>(const_cast<float *>(q), 1, dim), out, far, K, flann::SearchParams(checks));
			for (size_t i = 0; i < K; i++)
				ids[i] = int64_t(found[i]);
		});
}
#endif

#ifdef HAVE_ANNOY
static void run_annoy()
{
	double before = resident(), start = now();
	AnnoyIndex<int32_t, float, Euclidean, Kiss64Random, AnnoyIndexSingleThreadedBuildPolicy> index{ int(dim) };
	for (size_t i = 0; i < rows; i++)
		index.add_item(int32_t(i), base + i * dim);
	index.build(50);
	build_s = now() - start;
	double size = resident() - before;
	for (int nodes : { 500, 2000, 8000, 30000 })
		measure("search_k " + std::to_string(nodes), 1, size, [&](const float *q, size_t, int64_t *ids) {
			std::vector<int32_t> found;
			std::vector<float> distance;
			index.get_nns_by_vector(q, K, nodes, &found, &distance);
			for (size_t i = 0; i < found.size(); i++)
				ids[i] = found[i];
		});
}
#endif

int main(int argc, char **argv)
{
	if (argc < 7) {
		fprintf(stderr, "usage: search_peers BASE.npy QUERIES.npy,... TRUTH.npy,... ENGINE THREADS N\n");
		return 2;
	}
	npy b = npy_open(argv[1]);
	size_t n = strtoull(argv[6], NULL, 10);
	base = (const float *)b.data;
	rows = n && n < b.rows ? n : b.rows;
	dim = b.columns;
	threads = unsigned(atoi(argv[5]));
	engine = argv[4];
	char *q_left, *t_left, *q = strtok_r(argv[2], ",", &q_left), *t = strtok_r(argv[3], ",", &t_left);
	for (; q && t; q = strtok_r(NULL, ",", &q_left), t = strtok_r(NULL, ",", &t_left)) {
		sets.emplace_back(npy_open(q), npy_open(t));
		names.push_back(strstr(q, "out") ? "out" : "in");
	}
	std::string e = engine;
#ifdef HAVE_HNSWLIB
	if (e == "hnswlib")
		return run_hnswlib(), 0;
#endif
#ifdef HAVE_FAISS
	if (e.compare(0, 6, "faiss-") == 0)
		return run_faiss(e), 0;
#endif
#ifdef HAVE_NANOFLANN
	if (e == "nanoflann")
		return run_nanoflann(), 0;
#endif
#ifdef HAVE_FLANN
	if (e == "flann")
		return run_flann(), 0;
#endif
#ifdef HAVE_ANNOY
	if (e == "annoy")
		return run_annoy(), 0;
#endif
	fprintf(stderr, "%s: not installed\n", engine);
	return 3;
}
