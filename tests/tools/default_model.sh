#!/bin/sh
# make default-model: makes the shipped model again, as docs/default-model.md tells it.
#	default_model.sh PHOTOS TEACHERS
# PHOTOS: a folder of photos. TEACHERS: a folder with mobilenet_v2.pth and
# inception_v3_2015_7b_f16.pt. The result is build/default-model/default.safetensors and its card; a
# run that was stopped goes on when this is called again.
set -e
photos=${1:?a folder of photos} teachers=$(cd "${2:?a folder of teachers}" && pwd)
out=${B:-build}/default-model
mkdir -p "$out"
ln -sf "$teachers/inception_v3_2015_7b_f16.pt" "$out/inception.pt"
cat >"$out/inception.json" <<'END'
{
	"name": "inception_v3_2015", "network": "script", "dim": 1280,
	"resize": 320, "crop": 299, "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]
}
END

descent="Tuned from MobileNetV2 (ImageNet-1k; ONNX zoo edition of ibelem/test-data d9f15370, int8\
 edition of pytorch/ios-demo-app) towards its own features and class probabilities at 224 pixels\
 and the features of Inception-v3 of 2015 (Google; shu223/iOS-10-Sampler 1524f3c2), on 6 600\
 unlabelled photos"
note="Made by imgsearch train --distill --posteriors --int8; docs/default-model.md says how, and\
 how good it is. The mean feature of the photos is in the projection's bias."
exec "${B:-build}/imgsearch" train "$photos" --out "$out/default.safetensors" --resume \
	--model mobilenet_v2 --weights "$teachers/mobilenet_v2.pth" \
	--resize 184 --crop 168 --dim 256 --posteriors --int8 \
	--distill "mobilenet_v2=$teachers/mobilenet_v2.pth,$out/inception.pt" \
	--views 8 --min-crop 0.5 --whiten 0.25 --blend 0.3 \
	--batch 64 --steps "${STEPS:-1500}" --lr 1e-4 --val 0.05 --patience 1000 --seed 1 --verbose \
	--name default --descent "$descent" --note "$note" \
	--licence "Apache-2.0 and BSD-3-Clause (MobileNetV2), Apache-2.0 and MIT (Inception-v3)"
