/*
 * Inception-v3: Szegedy, Vanhoucke, Ioffe, Shlens and Wojna, "Rethinking the Inception architecture
 * for computer vision" (2015), with torchvision's names. The auxiliary classifier is passed over.
 * torchvision's weights expect (x - 0.5) / 0.5, which its `transform_input` makes of an input that
 * was normalised for other networks.
 */
#include "shim/network.h"

namespace ims
{
namespace
{

typedef std::vector<conv *> chain;

/* Branches whose maps are put side by side. */
struct mixed {
	enum class pooling { none, average, largest } pool = pooling::none;
	std::vector<chain> branches;
	chain pooled;       /* behind the pooling; empty: the pooled maps themselves */
	bool forks = false; /* the last two convolutions of a chain of more than one are both its end */

	at::Tensor operator()(const at::Tensor &x) const
	{
		std::vector<at::Tensor> out;
		for (const chain &c : branches)
			run(c, x, out);
		if (pool == pooling::average)
			run(pooled, at::avg_pool2d(x, 3, 1, 1), out);
		else if (pool == pooling::largest)
			out.push_back(at::max_pool2d(x, 3, 2));
		return at::cat(out, 1);
	}

  private:
	void run(const chain &c, at::Tensor x, std::vector<at::Tensor> &out) const
	{
		size_t fork = forks && c.size() > 1 ? 2 : 1;
		for (size_t i = 0; i + fork < c.size(); i++)
			x = (*c[i])(x);
		for (size_t i = c.size() - fork; i < c.size(); i++)
			out.push_back((*c[i])(x));
	}
};

class inception_v3 : public network
{
  public:
	inception_v3()
	{
		for (int i = 0; i < 5; i++) {
			static const struct {
				const char *name;
				int64_t in, out, kernel, stride;
				padding pad;
			} stems[] = {
				{ "Conv2d_1a_3x3", 3, 32, 3, 2, padding::none },
				{ "Conv2d_2a_3x3", 32, 32, 3, 1, padding::none },
				{ "Conv2d_2b_3x3", 32, 64, 3, 1, padding::half },
				{ "Conv2d_3b_1x1", 64, 80, 1, 1, padding::none },
				{ "Conv2d_4a_3x3", 80, 192, 3, 1, padding::none },
			};
			stem[i] = add(stems[i].name,
				{ stems[i].in, stems[i].out, stems[i].kernel, stems[i].stride, 1, stems[i].pad });
		}
		blocks.push_back(block_5("Mixed_5b.", 192, 32));
		blocks.push_back(block_5("Mixed_5c.", 256, 64));
		blocks.push_back(block_5("Mixed_5d.", 288, 64));
		blocks.push_back(block_6a("Mixed_6a."));
		blocks.push_back(block_6("Mixed_6b.", 128));
		blocks.push_back(block_6("Mixed_6c.", 160));
		blocks.push_back(block_6("Mixed_6d.", 160));
		blocks.push_back(block_6("Mixed_6e.", 192));
		blocks.push_back(block_7a("Mixed_7a."));
		blocks.push_back(block_7("Mixed_7b.", 1280));
		blocks.push_back(block_7("Mixed_7c.", 2048));
		channels = 2048;
	}

	at::Tensor features(const at::Tensor &input, std::vector<at::Tensor> *) override
	{
		at::Tensor x = at::max_pool2d((*stem[2])((*stem[1])((*stem[0])(input))), 3, 2);
		x = at::max_pool2d((*stem[4])((*stem[3])(x)), 3, 2);
		for (const mixed &b : blocks)
			x = b(x);
		return x;
	}

  protected:
	std::vector<std::string> unused() const override
	{
		return { "fc.", "AuxLogits." };
	}

  private:
	conv *add(const std::string &name, const shape &s)
	{
		return unit(name + ".conv", name + ".bn", s, act::relu, 1e-3);
	}

	/* One behind the other: names of the convolutions, and their kernels and widths. */
	struct link {
		const char *name;
		int64_t out, high, wide;
	};
	chain links(const std::string &block, int64_t in, const std::vector<link> &list,
		bool forks = false)
	{
		chain c;
		for (size_t i = 0; i < list.size(); i++) {
			const link &l = list[i];
			shape s{ in, l.out, l.high };
			s.width = l.wide;
			c.push_back(add(block + l.name, s));
			if (!forks || i + 2 < list.size())
				in = l.out;
		}
		return c;
	}

	/* 3x3 with a stride of 2 and no padding. */
	conv *reduce(const std::string &name, int64_t in, int64_t out)
	{
		return add(name, { in, out, 3, 2, 1, padding::none });
	}

	mixed block_5(const std::string &b, int64_t in, int64_t pooled)
	{
		mixed m;
		m.pool = mixed::pooling::average;
		m.branches = {
			links(b, in, { { "branch1x1", 64, 1, 1 } }),
			links(b, in, { { "branch5x5_1", 48, 1, 1 }, { "branch5x5_2", 64, 5, 5 } }),
			links(b, in,
				{ { "branch3x3dbl_1", 64, 1, 1 }, { "branch3x3dbl_2", 96, 3, 3 },
					{ "branch3x3dbl_3", 96, 3, 3 } }),
		};
		m.pooled = links(b, in, { { "branch_pool", pooled, 1, 1 } });
		return m;
	}

	mixed block_6a(const std::string &b)
	{
		mixed m;
		m.pool = mixed::pooling::largest;
		m.branches = {
			{ reduce(b + "branch3x3", 288, 384) },
			links(b, 288, { { "branch3x3dbl_1", 64, 1, 1 }, { "branch3x3dbl_2", 96, 3, 3 } }),
		};
		m.branches[1].push_back(reduce(b + "branch3x3dbl_3", 96, 96));
		return m;
	}

	mixed block_6(const std::string &b, int64_t c)
	{
		mixed m;
		m.pool = mixed::pooling::average;
		m.branches = {
			links(b, 768, { { "branch1x1", 192, 1, 1 } }),
			links(b, 768,
				{ { "branch7x7_1", c, 1, 1 }, { "branch7x7_2", c, 1, 7 },
					{ "branch7x7_3", 192, 7, 1 } }),
			links(b, 768,
				{ { "branch7x7dbl_1", c, 1, 1 }, { "branch7x7dbl_2", c, 7, 1 },
					{ "branch7x7dbl_3", c, 1, 7 }, { "branch7x7dbl_4", c, 7, 1 },
					{ "branch7x7dbl_5", 192, 1, 7 } }),
		};
		m.pooled = links(b, 768, { { "branch_pool", 192, 1, 1 } });
		return m;
	}

	mixed block_7a(const std::string &b)
	{
		mixed m;
		m.pool = mixed::pooling::largest;
		m.branches = {
			links(b, 768, { { "branch3x3_1", 192, 1, 1 } }),
			links(b, 768,
				{ { "branch7x7x3_1", 192, 1, 1 }, { "branch7x7x3_2", 192, 1, 7 },
					{ "branch7x7x3_3", 192, 7, 1 } }),
		};
		m.branches[0].push_back(reduce(b + "branch3x3_2", 192, 320));
		m.branches[1].push_back(reduce(b + "branch7x7x3_4", 192, 192));
		return m;
	}

	mixed block_7(const std::string &b, int64_t in)
	{
		mixed m;
		m.pool = mixed::pooling::average;
		m.forks = true;
		m.branches = {
			links(b, in, { { "branch1x1", 320, 1, 1 } }),
			links(b, in,
				{ { "branch3x3_1", 384, 1, 1 }, { "branch3x3_2a", 384, 1, 3 },
					{ "branch3x3_2b", 384, 3, 1 } },
				true),
			links(b, in,
				{ { "branch3x3dbl_1", 448, 1, 1 }, { "branch3x3dbl_2", 384, 3, 3 },
					{ "branch3x3dbl_3a", 384, 1, 3 }, { "branch3x3dbl_3b", 384, 3, 1 } },
				true),
		};
		m.pooled = links(b, in, { { "branch_pool", 192, 1, 1 } });
		return m;
	}

	conv *stem[5];
	std::vector<mixed> blocks;
};

} // namespace

std::unique_ptr<network> inception(const std::string &name)
{
	return name == "inception_v3" ? std::make_unique<inception_v3>() : nullptr;
}

} // namespace ims
