"""What requests to the explorer hold."""

from typing import Any

from pydantic import BaseModel, Field


class ClusteringMessage(BaseModel):
    """Cluster items, all or some."""

    method: str = Field(examples=["kmeans"])
    parameters: dict[str, Any] = Field(default_factory=dict, examples=[{"k": 5}])
    rows: list[int] | None = Field(None, description="items to cluster again; null: all")
    parent: str | None = Field(None, description="labeling of the others; null: the first one")
    name: str | None = Field(None, max_length=200, description="of the labeling that results")


class Names(BaseModel):
    """Names for a labeling and its clusters."""

    name: str | None = Field(None, max_length=200)
    clusters: dict[str, str] = Field(default_factory=dict, examples=[{"0": "night"}])


class Chosen(BaseModel):
    """Items of a labeling."""

    labeling: str
    rows: list[int] | None = Field(None, description="null: all items")


class Move(Chosen):
    """A plan for moving files into a folder per cluster."""

    target: str = Field(examples=["sorted"])
    form: str = Field("sh", pattern="^(sh|csv)$", description="sh: script to run; csv: table")


class Export(BaseModel):
    """One page to keep or to send."""

    labeling: str
    map: str = "pca"
    dimensions: int = 2
