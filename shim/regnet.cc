/*
 * RegNetY: Radosavovic, Kosaraju, Girshick, He and Dollár, "Designing network design spaces"
 * (2020), with torchvision's names. Widths and depths are what the paper's rule gives for a size.
 */
#include "shim/excitation.h"
#include "shim/network.h"

namespace ims
{
namespace
{

struct block {
	conv *first, *second, *last, *shortcut; /* shortcut: NULL: the input itself */
	excitation weigh;
};

class regnet_network : public network
{
  public:
	regnet_network(const std::vector<int> &depths, const std::vector<int64_t> &widths,
		int64_t group)
	{
		int64_t in = 32;
		stem = unit("stem.0", "stem.1", { 3, in, 3, 2 }, act::relu);
		for (size_t s = 0; s < depths.size(); s++) {
			std::string stage = std::to_string(s + 1);
			for (int i = 0; i < depths[s]; i++, in = widths[s])
				blocks.push_back(add_block("trunk_output.block" + stage + ".block" + stage + "-"
						+ std::to_string(i) + ".",
					in, widths[s], i ? 1 : 2, group));
		}
		channels = in;
	}

	at::Tensor features(const at::Tensor &input, std::vector<at::Tensor> *) override
	{
		at::Tensor x = (*stem)(input);
		for (block &b : blocks) {
			at::Tensor shortcut = b.shortcut ? (*b.shortcut)(x) : x;
			x = (*b.last)(b.weigh((*b.second)((*b.first)(x))), &shortcut);
		}
		return x;
	}

  private:
	block add_block(const std::string &name, int64_t in, int64_t out, int64_t stride, int64_t group)
	{
		block b{};
		auto part = [&](const std::string &at, shape s, act a) {
			return unit(name + at + ".0", name + at + ".1", s, a);
		};
		if (in != out || stride != 1)
			b.shortcut = part("proj", { in, out, 1, stride }, act::none);
		b.first = part("f.a", { in, out }, act::relu);
		b.second = part("f.b", { out, out, 3, stride, out / group }, act::relu);
		b.weigh.squeeze = unit(name + "f.se.fc1", "", { out, in / 4 }, act::relu);
		b.weigh.excite = unit(name + "f.se.fc2", "", { in / 4, out }, act::sigmoid);
		b.last = part("f.c", { out, out }, act::relu);
		return b;
	}

	conv *stem;
	std::vector<block> blocks;
};

} // namespace

std::unique_ptr<network> regnet(const std::string &name)
{
	static const struct {
		const char *name;
		std::vector<int> depths;
		std::vector<int64_t> widths;
		int64_t group;
	} sizes[] = {
		{ "regnet_y_400mf", { 1, 3, 6, 6 }, { 48, 104, 208, 440 }, 8 },
		{ "regnet_y_800mf", { 1, 3, 8, 2 }, { 64, 144, 320, 784 }, 16 },
		{ "regnet_y_1_6gf", { 2, 6, 17, 2 }, { 48, 120, 336, 888 }, 24 },
		{ "regnet_y_3_2gf", { 2, 5, 13, 1 }, { 72, 216, 576, 1512 }, 24 },
		{ "regnet_y_8gf", { 2, 4, 10, 1 }, { 224, 448, 896, 2016 }, 56 },
		{ "regnet_y_16gf", { 2, 4, 11, 1 }, { 224, 448, 1232, 3024 }, 112 },
	};
	for (auto &s : sizes)
		if (name == s.name)
			return std::make_unique<regnet_network>(s.depths, s.widths, s.group);
	return nullptr;
}

} // namespace ims
