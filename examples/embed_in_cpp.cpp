/*
 * From C++: handles owned by unique_ptr, errors as exceptions, an upload's bytes as the query.
 *
 *	embed_in_cpp INDEX PICTURE
 */
#include <imgsearch.h>

#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

struct closer {
	void operator()(imgsearch *s) const
	{
		imgsearch_close(s);
	}
	void operator()(imgsearch_hits *h) const
	{
		imgsearch_hits_free(h);
	}
};
using index_ptr = std::unique_ptr<imgsearch, closer>;
using hits_ptr = std::unique_ptr<imgsearch_hits, closer>;

static void check(int rc, const imgsearch_error &err)
{
	if (rc)
		throw std::runtime_error(err.message);
}

static index_ptr open_index(const std::string &path)
{
	imgsearch_options options = IMGSEARCH_INIT(imgsearch_options);
	imgsearch_error err;
	imgsearch *s;
	options.must_exist = 1;
	check(imgsearch_open(path.c_str(), &options, nullptr, &s, &err), err);
	return index_ptr(s);
}

static hits_ptr query(imgsearch *s, const std::vector<char> &bytes, unsigned k)
{
	imgsearch_query_options options = IMGSEARCH_INIT(imgsearch_query_options);
	imgsearch_input in = imgsearch_input_bytes(bytes.data(), bytes.size());
	imgsearch_error err;
	imgsearch_hits *hits;
	options.k = k;
	check(imgsearch_query(s, &in, 1, &options, nullptr, &hits, &err), err);
	return hits_ptr(hits);
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		std::cerr << "usage: embed_in_cpp INDEX PICTURE\n";
		return 2;
	}
	try {
		std::ifstream file(argv[2], std::ios::binary);
		std::vector<char> bytes((std::istreambuf_iterator<char>(file)),
			std::istreambuf_iterator<char>());
		index_ptr s = open_index(argv[1]);
		hits_ptr hits = query(s.get(), bytes, 5);
		for (size_t i = 0; i < hits->count; i++)
			std::cout << hits->items[i]->score << ' ' << hits->items[i]->path << '\n';
	} catch (const std::exception &e) {
		std::cerr << e.what() << '\n';
		return 1;
	}
}
