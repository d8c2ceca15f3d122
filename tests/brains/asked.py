"""Networks asked by normalised images, as PilotNet's card gives them."""

import numpy as np
from numpy.typing import NDArray

from brains.network import NetworkBrain


def answers(brain: NetworkBrain, images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Values that become commands, (n, 2), for images (n, 66, 200, 3)."""
    return brain.answers([{brain.view.image_input: image[np.newaxis]} for image in images])
