/*
 * The peers of bench-search, as far as Debian has them; compiled with -DHAVE_x for what is
 * installed.
 *	search_peers build BASE.npy N ENGINE THREADS INDEX builds, keeps INDEX and INDEX.txt (CPU
 *	seconds, threads)
 *	search_peers ask BASE.npy N ENGINE THREADS INDEX QUERIES.npy,.. TRUTH.npy,.. loads it and prints
 *	lines of CSV as search_ours.c does
 *	search_peers cold QUERIES.npy INDEX EF IDS.npy hnswlib: loads, answers one by one, writes the
 *	ids
 * Memory is what loading adds to the resident set, with the vectors for engines that read them
 * where they lie.
 */
#include "bench/npy.h"

#include <atomic>
#include <chrono>
#include <cmath>
#include <fstream>
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
#include <faiss/index_io.h>
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
static const double ENOUGH = 3; /* seconds for one figure */
static unsigned threads = 1;
static size_t rows, dim;
static const float *base;

static double now()
{
	return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
		.count();
}

static double cpu_seconds()
{
	timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return double(t.tv_sec) + 1e-9 * double(t.tv_nsec);
}

/*
 * CPU seconds with one thread, so that other processes disturb less; else wall seconds. As
 * search_ours.c.
 */
static double seconds()
{
	return threads > 1 ? now() : cpu_seconds();
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

static void parallel(size_t n, const std::function<void(size_t)> &body)
{
	std::atomic<size_t> next{ 0 };
	auto work = [&] {
		for (size_t i; (i = next++) < n;)
			body(i);
	};
	std::vector<std::thread> more;
	for (unsigned i = 1; i < threads; i++)
		more.emplace_back(work);
	work();
	for (auto &t : more)
		t.join();
}

struct setting {
	std::string name;
	size_t at_once;
	std::function<void()> prepare;
};

struct peer {
	bool reads_rows = false; /* keeps no copy of them */
	virtual ~peer() {}
	virtual void build() = 0;
	virtual void save(const std::string &) {} /* what builds in seconds is built each time */
	virtual void load(const std::string &)
	{
		build();
	}
	virtual std::vector<setting> settings() = 0;
	virtual void search(const float *queries, size_t n, int64_t *ids) = 0; /* n * K ids */
};

static std::vector<setting> sweep(const char *name, std::vector<int> values,
	std::function<void(int)> set)
{
	std::vector<setting> all;
	for (int v : values)
		all.push_back({ std::string(name) + " " + std::to_string(v), 1, [=] { set(v); } });
	return all;
}
static const std::vector<int> widths = { 10, 16, 24, 32, 48, 64, 96, 128, 200, 300, 500 };

#ifdef HAVE_HNSWLIB
struct hnswlib_peer : peer {
	hnswlib::L2Space space{ dim };
	std::unique_ptr<hnswlib::HierarchicalNSW<float>> index;
	void build() override
	{
		index.reset(new hnswlib::HierarchicalNSW<float>(&space, rows, 16, 200));
		index->addPoint(base, 0);
		parallel(rows - 1, [&](size_t i) { index->addPoint(base + (i + 1) * dim, i + 1); });
	}
	void save(const std::string &path) override
	{
		index->saveIndex(path);
	}
	void load(const std::string &path) override
	{
		index.reset(new hnswlib::HierarchicalNSW<float>(&space, path));
	}
	std::vector<setting> settings() override
	{
		return sweep("ef", widths, [this](int ef) { index->setEf(size_t(ef)); });
	}
	void search(const float *q, size_t, int64_t *ids) override
	{
		auto found = index->searchKnn(q, K);
		for (size_t i = 0; !found.empty(); found.pop())
			ids[i++] = int64_t(found.top().second);
	}
};
#endif

#ifdef HAVE_FAISS
struct faiss_peer : peer {
	std::string kind;
	std::unique_ptr<faiss::Index> index;
	explicit faiss_peer(const std::string &k) : kind(k) {}
	void build() override
	{
		using faiss::Index;
		omp_set_num_threads(int(threads));
		if (kind == "faiss-flat")
			index.reset(new faiss::IndexFlatL2(Index::idx_t(dim)));
		else if (kind == "faiss-hnsw")
			index.reset(new faiss::IndexHNSWFlat(int(dim), 16));
		else if (kind == "faiss-hnsw-sq8")
			index.reset(new faiss::IndexHNSWSQ(int(dim), faiss::ScalarQuantizer::QT_8bit, 16));
		else
			index.reset(new faiss::IndexIVFFlat(new faiss::IndexFlatL2(Index::idx_t(dim)), dim,
				std::max<size_t>(16, size_t(std::sqrt(double(rows))))));
		if (auto *h = dynamic_cast<faiss::IndexHNSW *>(index.get()))
			h->hnsw.efConstruction = 200;
		if (!index->is_trained)
			index->train(Index::idx_t(std::min<size_t>(rows, 50000)), base);
		index->add(Index::idx_t(rows), base);
	}
	void save(const std::string &path) override
	{
		if (kind != "faiss-flat")
			faiss::write_index(index.get(), path.c_str());
	}
	void load(const std::string &path) override
	{
		if (kind == "faiss-flat")
			build();
		else
			index.reset(faiss::read_index(path.c_str()));
	}
	std::vector<setting> settings() override
	{
		if (auto *h = dynamic_cast<faiss::IndexHNSW *>(index.get()))
			return sweep("ef", widths, [h](int ef) { h->hnsw.efSearch = ef; });
		if (auto *ivf = dynamic_cast<faiss::IndexIVF *>(index.get()))
			return sweep("nprobe", { 1, 2, 4, 8, 16, 32, 64 },
				[ivf](int n) { ivf->nprobe = size_t(n); });
		return { { "1 by 1", 1, [] {} }, { "batch 64", 64, [] {} } };
	}
	void search(const float *q, size_t n, int64_t *ids) override
	{
		std::vector<float> distance(n * K);
		omp_set_num_threads(n > 1 ? int(threads) : 1);
		index->search(faiss::Index::idx_t(n), q, K, distance.data(), (faiss::Index::idx_t *)ids);
	}
};
#endif

#ifdef HAVE_NANOFLANN
struct nanoflann_peer : peer {
	struct cloud {
		size_t kdtree_get_point_count() const
		{
			return rows;
		}
		float kdtree_get_pt(size_t i, size_t d) const
		{
			return base[i * dim + d];
		}
		template <class B> bool kdtree_get_bbox(B &) const
		{
			return false;
		}
	} points;
	typedef nanoflann::KDTreeSingleIndexAdaptor<nanoflann::L2_Adaptor<float, cloud>, cloud>
		tree_type;
	tree_type tree{ int(dim), points, nanoflann::KDTreeSingleIndexAdaptorParams(20) };
	nanoflann_peer()
	{
		reads_rows = true;
	}
	void build() override
	{
		tree.buildIndex();
	}
	std::vector<setting> settings() override
	{
		return { { "exact", 1, [] {} } };
	}
	void search(const float *q, size_t, int64_t *ids) override
	{
		uint32_t found[K];
		float distance[K];
		size_t n = tree.knnSearch(q, K, found, distance);
		for (size_t i = 0; i < n; i++)
			ids[i] = found[i];
	}
};
#endif

#ifdef HAVE_FLANN
struct flann_peer : peer {
	flann::Matrix<float> data{ const_cast<float *>(base), rows, dim };
	std::unique_ptr<flann::Index<flann::L2<float>>> index;
	int checks = 32;
	flann_peer()
	{
		reads_rows = true;
	}
	void build() override
	{
		index.reset(new flann::Index<flann::L2<float>>(data, flann::KDTreeIndexParams(4)));
		index->buildIndex();
	}
	void save(const std::string &path) override
	{
		index->save(path);
	}
	void load(const std::string &path) override
	{
		index.reset(new flann::Index<flann::L2<float>>(data, flann::SavedIndexParams(path)));
	}
	std::vector<setting> settings() override
	{
		return sweep("checks", { 64, 256, 1024, 4096, 16384 }, [this](int n) { checks = n; });
	}
	void search(const float *q, size_t, int64_t *ids) override
	{
		size_t found[K];
		float distance[K];
		flann::Matrix<size_t> out(found, 1, K);
		flann::Matrix<float> far(distance, 1, K);
		index->knnSearch(flann::Matrix<float>(const_cast<float *>(q), 1, dim), out, far, K,
			flann::SearchParams(checks));
		for (size_t i = 0; i < K; i++)
			ids[i] = int64_t(found[i]);
	}
};
#endif

#ifdef HAVE_ANNOY
struct annoy_peer : peer {
	AnnoyIndex<int32_t, float, Euclidean, Kiss64Random, AnnoyIndexSingleThreadedBuildPolicy> index{
		int(dim)
	};
	int nodes = 0;
	void build() override
	{
		for (size_t i = 0; i < rows; i++)
			index.add_item(int32_t(i), base + i * dim);
		index.build(50);
	}
	void save(const std::string &path) override
	{
		index.save(path.c_str());
	}
	void load(const std::string &path) override
	{
		index.load(path.c_str(), true);
	}
	std::vector<setting> settings() override
	{
		return sweep("search_k", { 500, 2000, 8000, 30000 }, [this](int n) { nodes = n; });
	}
	void search(const float *q, size_t, int64_t *ids) override
	{
		std::vector<int32_t> found;
		std::vector<float> distance;
		index.get_nns_by_vector(q, K, nodes, &found, &distance);
		for (size_t i = 0; i < found.size(); i++)
			ids[i] = found[i];
	}
};
#endif

static std::unique_ptr<peer> make(const std::string &engine)
{
	std::unique_ptr<peer> p;
#ifdef HAVE_HNSWLIB
	if (engine == "hnswlib")
		p.reset(new hnswlib_peer);
#endif
#ifdef HAVE_FAISS
	if (engine.compare(0, 6, "faiss-") == 0)
		p.reset(new faiss_peer(engine));
#endif
#ifdef HAVE_NANOFLANN
	if (engine == "nanoflann")
		p.reset(new nanoflann_peer);
#endif
#ifdef HAVE_FLANN
	if (engine == "flann")
		p.reset(new flann_peer);
#endif
#ifdef HAVE_ANNOY
	if (engine == "annoy")
		p.reset(new annoy_peer);
#endif
	return p;
}

/*
 * One figure: rounds over the queries until there was time enough, and no further; the best round
 * counts.
 */
static void measure(peer &p, const char *engine, const setting &s, const char *set, const npy &q,
	const npy &truth, double built, double megabytes)
{
	std::vector<int64_t> ids(q.rows * K, -1);
	double best = 1e30, spent = 0;
	size_t done = 0;
	s.prepare();
	for (int round = 0; round < 3 && spent < ENOUGH; round++) {
		double start = seconds(), began = now();
		std::atomic<size_t> answered{ 0 };
		auto ask = [&](size_t i) {
			if (now() - began > ENOUGH)
				return;
			size_t first = i * s.at_once, n = std::min(s.at_once, q.rows - first);
			p.search((const float *)q.data + first * dim, n, &ids[first * K]);
			answered += n;
		};
		size_t batches = (q.rows + s.at_once - 1) / s.at_once;
		if (s.at_once == 1)
			parallel(batches, ask);
		else
			for (size_t i = 0; i < batches; i++)
				ask(i);
		double took = seconds() - start;
		spent += now() - began;
		if (took / double(answered) < best) {
			best = took / double(answered);
			done = answered;
		}
	}
	size_t hit = 0, asked = 0;
	for (size_t i = 0; i < q.rows; i++)
		if (ids[i * K] >= 0) {
			asked++;
			for (size_t j = 0; j < K; j++)
				for (size_t l = 0; l < K; l++)
					hit += ((const int64_t *)truth.data)[i * truth.columns + l] == ids[i * K + j];
		}
	printf("%s,%s,%zu,%zu,%u,%s,%.4f,%.1f,%.1f,%.0f,,%zu\n", engine, set, rows, dim, threads,
		s.name.c_str(), double(hit) / double(K * (asked ? asked : 1)), 1 / best, built, megabytes,
		done);
	fflush(stdout);
}

static int ask(int argc, char **argv, const char *engine, const char *path)
{
	if (argc < 9)
		return 2;
	double built = 0, before = resident();
	std::ifstream(std::string(path) + ".txt") >> built;
	std::unique_ptr<peer> p = make(engine);
	p->load(path);
	double megabytes = resident() - before
		+ (p->reads_rows ? double(rows * dim * sizeof(float)) / 1e6 : 0);
	char *q_left, *t_left, *q = strtok_r(argv[7], ",", &q_left),
						   *t = strtok_r(argv[8], ",", &t_left);
	for (; q && t; q = strtok_r(NULL, ",", &q_left), t = strtok_r(NULL, ",", &t_left)) {
		npy queries = npy_open(q), truth = npy_open(t);
		for (const setting &s : p->settings())
			measure(*p, engine, s, strstr(q, "out") ? "out" : "in", queries, truth, built,
				megabytes);
	}
	return 0;
}

static int cold(char **argv)
{
#ifdef HAVE_HNSWLIB
	npy q = npy_open(argv[2]);
	dim = q.columns;
	hnswlib_peer p;
	p.load(argv[3]);
	p.index->setEf(size_t(atoi(argv[4])));
	std::vector<int64_t> ids(q.rows * K, -1);
	for (size_t i = 0; i < q.rows; i++)
		p.search((const float *)q.data + i * dim, 1, &ids[i * K]);
	return npy_save_ids(argv[5], ids.data(), q.rows, K);
#else
	(void)argv;
	return 3;
#endif
}

int main(int argc, char **argv)
{
	if (argc == 6 && !strcmp(argv[1], "cold"))
		return cold(argv);
	if (argc < 7) {
		fprintf(stderr,
			"usage: search_peers build|ask BASE.npy N ENGINE THREADS INDEX [QUERIES.npy,... "
			"TRUTH.npy,...]\n");
		return 2;
	}
	npy b = npy_open(argv[2]);
	size_t n = strtoull(argv[3], NULL, 10);
	const char *engine = argv[4], *path = argv[6];
	base = (const float *)b.data;
	rows = n && n < b.rows ? n : b.rows;
	dim = b.columns;
	threads = unsigned(atoi(argv[5]));
	if (!strcmp(argv[1], "ask"))
		return ask(argc, argv, engine, path);
	std::unique_ptr<peer> p = make(engine);
	if (!p) {
		fprintf(stderr, "%s: not installed\n", engine);
		return 3;
	}
	double start = cpu_seconds();
	p->build();
	double took = cpu_seconds() - start;
	p->save(path);
	std::ofstream(std::string(path) + ".txt") << took << " " << threads << "\n";
	return 0;
}
