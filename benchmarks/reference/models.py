"""The reference's four networks in PyTorch, for parity checks and speed comparisons; our own code.

Parameter names and layouts are those of the reference's state dicts, so that weights can travel both ways. Inputs:
speech (batch, 1, 128, 400), face (batch, frames, 3, 224, 224) normalised, text (batch, words, 200).
"""

from __future__ import annotations

import torch
from efficientnet_pytorch import EfficientNet
from efficientnet_pytorch.utils import Conv2dStaticSamePadding
from torch import nn

EMOTIONS = 7
MEL_BANDS = 128
WORD_DIM = 200


class FrameAttention(nn.Module):
    """The frame attention of FAN (arXiv 1907.00193): (batch, time, features) -> (batch, features or twice as many)."""

    def __init__(self, features: int, mode: str = "self"):
        super().__init__()
        self.mode = mode
        self.l1 = nn.Linear(features, 1)
        if mode == "relation":
            self.l2 = nn.Linear(2 * features, 1)

    def forward(self, f: torch.Tensor) -> torch.Tensor:
        a = torch.sigmoid(self.l1(f)) + 1e-3
        v = (a * f).sum(1) / a.sum(1)
        if self.mode == "self":
            return v
        related = torch.cat([v.unsqueeze(1).expand_as(f), f], dim=2)
        b = torch.sigmoid(self.l2(related)) + 1e-3
        return (a * b * related).sum(1) / (a * b).sum(1)


class AttnBiLSTM(nn.Module):
    """(batch, time, features) -> feature and logits."""

    def __init__(self, features: int, hidden: int, fan: str = "self"):
        super().__init__()
        self.encoder = nn.LSTM(features, hidden, batch_first=True, bidirectional=True)
        self.attention = FrameAttention(2 * hidden, fan)
        self.dropout = nn.Dropout(0.2)
        self.features = (4 if fan == "relation" else 2) * hidden
        self.out = nn.Linear(self.features, EMOTIONS)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        feature = self.attention(self.encoder(x)[0])
        return feature, self.out(self.dropout(feature))


def backbone(coefficient: int) -> EfficientNet:
    """EfficientNet of three input channels without its classifier, randomly initialised."""
    return EfficientNet.from_name(f"efficientnet-b{coefficient}", include_top=False)


class AttnCNN(nn.Module):
    """Speech: EfficientNet over the spectrogram, mean over frequency, AttnBiLSTM over time."""

    def __init__(self, coefficient: int = 4, fan: str = "self"):
        super().__init__()
        self.model = backbone(coefficient)
        channels = self.model._conv_stem.out_channels
        self.model._conv_stem = Conv2dStaticSamePadding(
            1, channels, kernel_size=3, stride=2, image_size=MEL_BANDS, bias=False
        )
        self.out = AttnBiLSTM(self.model._conv_head.out_channels, 512, fan)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.out(self.model.extract_features(x).mean(2).transpose(1, 2))


class CLSTM(nn.Module):
    """Face: EfficientNet on every frame, average pooling, AttnBiLSTM over the frames."""

    def __init__(self, coefficient: int = 0, fan: str = "self"):
        super().__init__()
        self.backbone_model = backbone(coefficient)
        features = self.backbone_model._conv_head.out_channels
        self.out = AttnBiLSTM(features, features // 4, fan)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        pooled = self.backbone_model(x.flatten(0, 1)).flatten(1)
        return self.out(pooled.unflatten(0, x.shape[:2]))


class TextTransformer(nn.Module):
    """Text: a Transformer encoder, mean over time, linear layer.

    As in the reference the encoder takes the sequence first and gets the batch first: it attends across the batch.
    The layer that it was cloned from stays a module of its own, with parameters that nothing uses.
    """

    def __init__(self, layers: int = 12, heads: int = 8):
        super().__init__()
        self.encoder_layer = nn.TransformerEncoderLayer(WORD_DIM, heads, dim_feedforward=2048, dropout=0.1)
        self.transformer_encoder = nn.TransformerEncoder(self.encoder_layer, layers, enable_nested_tensor=False)
        self.out = nn.Linear(WORD_DIM, EMOTIONS)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        feature = self.transformer_encoder(x).mean(1)
        return feature, self.out(feature)


class Multimodal(nn.Module):
    """The three branches, and a linear layer over their features side by side."""

    def __init__(
        self,
        speech_coefficient: int = 4,
        face_coefficient: int = 0,
        layers: int = 12,
        heads: int = 8,
        fan: str = "self",
    ):
        super().__init__()
        self.speech_model = AttnCNN(speech_coefficient, fan)
        self.face_model = CLSTM(face_coefficient, fan)
        self.text_model = TextTransformer(layers, heads)
        features = self.speech_model.out.features + self.face_model.out.features + WORD_DIM
        self.multimodal_out = nn.Linear(features, EMOTIONS)

    def forward(self, speech: torch.Tensor, face: torch.Tensor, text: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Logits: integrated, speech, face, text."""
        speech_feature, speech_logits = self.speech_model(speech)
        face_feature, face_logits = self.face_model(face)
        text_feature, text_logits = self.text_model(text)
        fused = self.multimodal_out(torch.cat([speech_feature, face_feature, text_feature], dim=1))
        return fused, speech_logits, face_logits, text_logits
