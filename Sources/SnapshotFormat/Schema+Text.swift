// Made by scripts/embed-schema from spec/schema; do not edit.
// swift-format-ignore-file

extension Schema {
  static let snapshotText: StaticString = #"""
{
 "format": "ptoken-snapshot",
 "version": "1.0",
 "storage": {
  "filters": {"allowed": [1, 2, 3, 32015], "requirement": "R-050"},
  "chunk_bytes": {"most": 67108864, "requirement": "R-070"},
  "text_bytes": 4096,
  "json_bytes": 16777216,
  "axes": 8,
  "links": {"requirement": "R-071"},
  "missing_chunks": {"requirement": "R-051"}
 },
 "dimensions": {
  "steps": {"most": 16777216, "requirement": "R-021"},
  "sessions": {"most": 65536, "requirement": "R-018"},
  "rows": {"most": 268435456, "requirement": "R-034"},
  "members": {"most": 268435456, "requirement": "R-090"},
  "width": {"most": 16777216, "requirement": "R-070"}
 },
 "root": {
  "kind": "group",
  "requirement": "R-001",
  "meaning": "the file",
  "dimensions": ["steps", "sessions"],
  "attributes": {
   "format": {"type": "text", "requirement": "R-001", "values": ["ptoken-snapshot"]},
   "version": {"type": "text", "requirement": "R-002"},
   "run_id": {"type": "text", "requirement": "R-004"},
   "created": {"type": "text", "requirement": "R-005"},
   "producer": {"type": "text", "requirement": "R-006"},
   "status": {"type": "text", "requirement": "R-007", "values": ["complete", "interrupted", "crashed"]}
  },
  "objects": {
   "schema": {"kind": "json", "requirement": "R-015", "meaning": "this schema"},
   "model": {"kind": "json", "requirement": "R-010", "meaning": "the model"},
   "training": {"kind": "json", "requirement": "R-010", "meaning": "the training"},
   "observer": {"kind": "json", "requirement": "R-010", "meaning": "whose view is recorded"},
   "sessions": {
    "kind": "group",
    "requirement": "R-017",
    "meaning": "one row per session",
    "objects": {
     "first_step": {
      "kind": "dataset",
      "requirement": "R-017",
      "type": "uint64",
      "shape": ["sessions"],
      "meaning": "steps that were there when it began"
     },
     "started": {
      "kind": "dataset",
      "requirement": "R-017",
      "type": "uint8",
      "shape": ["sessions", 20],
      "meaning": "ISO 8601 time, ASCII"
     },
     "cut_bytes": {
      "kind": "dataset",
      "requirement": "R-017",
      "type": "uint64",
      "shape": ["sessions"],
      "meaning": "bytes of a torn tail that were cut off"
     },
     "rank": {
      "kind": "dataset",
      "requirement": "R-017",
      "type": "uint16",
      "shape": ["sessions"],
      "meaning": "rank of the process"
     }
    }
   },
   "steps": {
    "kind": "group",
    "requirement": "R-020",
    "meaning": "one row per recorded step",
    "objects": {
     "index": {
      "kind": "dataset",
      "requirement": "R-020",
      "type": "int64",
      "shape": ["steps"],
      "meaning": "optimizer steps taken before"
     },
     "mode": {
      "kind": "dataset",
      "requirement": "R-020",
      "type": "uint8",
      "shape": ["steps"],
      "meaning": "how rows arose",
      "attributes": {"values": {"type": "text", "requirement": "R-023", "values": ["0 probe, 1 trace"]}}
     },
     "epoch": {
      "kind": "dataset",
      "requirement": "R-020",
      "type": "float64",
      "shape": ["steps"],
      "meaning": "epochs trained",
      "attributes": {"unit": {"type": "text", "requirement": "R-024", "values": ["epochs"]}}
     },
     "time": {
      "kind": "dataset",
      "requirement": "R-020",
      "type": "float64",
      "shape": ["steps"],
      "meaning": "since recording began",
      "attributes": {"unit": {"type": "text", "requirement": "R-024", "values": ["s"]}}
     },
     "loss": {
      "kind": "dataset",
      "requirement": "R-020",
      "type": "float64",
      "shape": ["steps"],
      "meaning": "mean training loss",
      "attributes": {"unit": {"type": "text", "requirement": "R-024"}}
     },
     "learning_rate": {
      "kind": "dataset",
      "requirement": "R-020",
      "type": "float64",
      "shape": ["steps"],
      "meaning": "learning rate in force",
      "attributes": {"unit": {"type": "text", "requirement": "R-024", "values": ["1"]}}
     },
     "loss_scale": {
      "kind": "dataset",
      "requirement": "R-020",
      "type": "float64",
      "shape": ["steps"],
      "meaning": "factor of the loss for mixed precision",
      "attributes": {"unit": {"type": "text", "requirement": "R-024", "values": ["1"]}}
     },
     "accumulation": {
      "kind": "dataset",
      "requirement": "R-020",
      "type": "uint32",
      "shape": ["steps"],
      "meaning": "backward passes summed; 0 unknown"
     },
     "participants": {
      "kind": "dataset",
      "requirement": "R-020",
      "type": "uint32",
      "shape": ["steps"],
      "meaning": "clients or ranks that took part; 0 unknown"
     },
     "model_mode": {
      "kind": "dataset",
      "requirement": "R-020",
      "type": "uint8",
      "shape": ["steps"],
      "meaning": "mode of the model",
      "attributes": {"values": {"type": "text", "requirement": "R-023", "values": ["0 unknown, 1 evaluation, 2 training"]}}
     },
     "dropout": {
      "kind": "dataset",
      "requirement": "R-020",
      "type": "uint8",
      "shape": ["steps"],
      "meaning": "dropout",
      "attributes": {"values": {"type": "text", "requirement": "R-023", "values": ["0 unknown, 1 inactive, 2 active"]}}
     },
     "batch_norm": {
      "kind": "dataset",
      "requirement": "R-020",
      "type": "uint8",
      "shape": ["steps"],
      "meaning": "batch norm",
      "attributes": {
       "values": {
        "type": "text",
        "requirement": "R-023",
        "values": ["0 unknown, 1 running statistics or none, 2 batch statistics"]
       }
      }
     },
     "trainable": {
      "kind": "dataset",
      "requirement": "R-020",
      "type": "uint8",
      "shape": ["steps", "*layers"],
      "meaning": "1 where a layer was trainable",
      "optional": true
     }
    }
   },
   "tables": {
    "kind": "group",
    "requirement": "R-030",
    "meaning": "the tables",
    "numbered": {
     "requirement": "R-030",
     "most": 256,
     "objects": {
      "T": {
       "kind": "group",
       "requirement": "R-030",
       "meaning": "a table",
       "dimensions": ["rows", "members"],
       "attributes": {
        "name": {"type": "text", "requirement": "R-031"},
        "unit": {"type": "text", "requirement": "R-032", "values": ["example", "batch", "client"]},
        "mode": {"type": "text", "requirement": "R-033", "values": ["probe", "trace"]},
        "schedule": {"type": "text", "requirement": "R-094", "optional": true}
       },
       "objects": {
        "observations": {
         "kind": "group",
         "requirement": "R-034",
         "meaning": "one row per observation",
         "objects": {
          "step": {"kind": "dataset", "requirement": "R-034", "type": "uint32", "shape": ["rows"], "meaning": "row of /steps"},
          "record": {
           "kind": "dataset",
           "requirement": "R-034",
           "type": "uint8",
           "shape": ["rows", 16],
           "meaning": "id of the record"
          },
          "rank": {
           "kind": "dataset",
           "requirement": "R-034",
           "type": "uint16",
           "shape": ["rows"],
           "meaning": "rank of the process"
          },
          "weight": {
           "kind": "dataset",
           "requirement": "R-093",
           "type": "float64",
           "shape": ["rows"],
           "meaning": "weight in the aggregate",
           "optional": true
          },
          "local_steps": {
           "kind": "dataset",
           "requirement": "R-093",
           "type": "uint32",
           "shape": ["rows"],
           "meaning": "local steps behind the update",
           "optional": true
          }
         }
        },
        "members": {
         "kind": "group",
         "requirement": "R-090",
         "meaning": "what batches and clients were made of",
         "optional": true,
         "objects": {
          "observation": {
           "kind": "dataset",
           "requirement": "R-090",
           "type": "uint32",
           "shape": ["members"],
           "meaning": "row of the table's observations"
          },
          "record": {
           "kind": "dataset",
           "requirement": "R-090",
           "type": "uint8",
           "shape": ["members", 16],
           "meaning": "id of the example"
          },
          "weight": {
           "kind": "dataset",
           "requirement": "R-090",
           "type": "float64",
           "shape": ["members"],
           "meaning": "factor with which its gradient entered"
          }
         }
        },
        "streams": {
         "kind": "group",
         "requirement": "R-031",
         "meaning": "the table's streams",
         "numbered": {
          "requirement": "R-040",
          "most": 65536,
          "objects": {
           "L": {
            "kind": "dataset",
            "requirement": "R-045",
            "absent": "R-041",
            "type": "float32",
            "shape": ["rows", "*width"],
            "meaning": "gradient of one layer",
            "attributes": {
             "name": {"type": "text", "requirement": "R-041"},
             "kind": {"type": "text", "requirement": "R-042", "values": ["gradient"]},
             "shape": {"type": "uint64", "requirement": "R-044", "shape": ["*axes"]},
             "sketch": {"type": "text", "requirement": "R-060", "values": ["none", "sparse-sign"]},
             "sketch_seed": {"type": "uint64", "requirement": "R-060", "when": {"sketch": "sparse-sign"}},
             "sketch_nonzeros": {"type": "uint32", "requirement": "R-060", "when": {"sketch": "sparse-sign"}},
             "unit": {"type": "text", "requirement": "R-041", "optional": true},
             "layer": {"type": "text", "requirement": "R-045"},
             "stage": {"type": "text", "requirement": "R-043", "values": ["raw", "clipped", "noised", "averaged", "delta"]},
             "clip_norm": {"type": "float64", "requirement": "R-049", "optional": true},
             "noise_multiplier": {"type": "float64", "requirement": "R-049", "optional": true}
            }
           },
           "F": {
            "kind": "dataset",
            "requirement": "R-045",
            "absent": "R-041",
            "type": "float32",
            "shape": ["rows", "*width"],
            "meaning": "data: an input, activation or embedding",
            "attributes": {
             "name": {"type": "text", "requirement": "R-041"},
             "kind": {"type": "text", "requirement": "R-042", "values": ["feature"]},
             "shape": {"type": "uint64", "requirement": "R-044", "shape": ["*axes"]},
             "sketch": {"type": "text", "requirement": "R-060", "values": ["none", "sparse-sign"]},
             "sketch_seed": {"type": "uint64", "requirement": "R-060", "when": {"sketch": "sparse-sign"}},
             "sketch_nonzeros": {"type": "uint32", "requirement": "R-060", "when": {"sketch": "sparse-sign"}},
             "unit": {"type": "text", "requirement": "R-041", "optional": true},
             "role": {
              "type": "text",
              "requirement": "R-048",
              "values": ["input", "activation", "embedding", "other"],
              "optional": true
             }
            }
           },
           "Y": {
            "kind": "dataset",
            "requirement": "R-045",
            "absent": "R-041",
            "type": "int32",
            "shape": ["rows", "*width"],
            "meaning": "class labels",
            "attributes": {
             "name": {"type": "text", "requirement": "R-041"},
             "kind": {"type": "text", "requirement": "R-042", "values": ["label"]},
             "shape": {"type": "uint64", "requirement": "R-044", "shape": ["*axes"]},
             "sketch": {"type": "text", "requirement": "R-060", "values": ["none", "sparse-sign"]},
             "sketch_seed": {"type": "uint64", "requirement": "R-060", "when": {"sketch": "sparse-sign"}},
             "sketch_nonzeros": {"type": "uint32", "requirement": "R-060", "when": {"sketch": "sparse-sign"}},
             "unit": {"type": "text", "requirement": "R-041", "optional": true}
            }
           },
           "S": {
            "kind": "dataset",
            "requirement": "R-045",
            "absent": "R-041",
            "type": "float32",
            "shape": ["rows", "*width"],
            "meaning": "another number",
            "attributes": {
             "name": {"type": "text", "requirement": "R-041"},
             "kind": {"type": "text", "requirement": "R-042", "values": ["scalar"]},
             "shape": {"type": "uint64", "requirement": "R-044", "shape": ["*axes"]},
             "sketch": {"type": "text", "requirement": "R-060", "values": ["none", "sparse-sign"]},
             "sketch_seed": {"type": "uint64", "requirement": "R-060", "when": {"sketch": "sparse-sign"}},
             "sketch_nonzeros": {"type": "uint32", "requirement": "R-060", "when": {"sketch": "sparse-sign"}},
             "unit": {"type": "text", "requirement": "R-041", "optional": true}
            }
           }
          }
         }
        }
       }
      }
     }
    }
   }
  }
 }
}

"""#

  static let analysisText: StaticString = #"""
{
 "format": "ptoken-analysis",
 "version": "1.0",
 "storage": {
  "filters": {"allowed": [1, 2, 3, 32015], "requirement": "R-050"},
  "chunk_bytes": {"most": 67108864, "requirement": "R-070"},
  "text_bytes": 4096,
  "json_bytes": 16777216,
  "axes": 8,
  "links": {"requirement": "R-071"},
  "missing_chunks": {"requirement": "R-051"}
 },
 "dimensions": {
  "windows": {"most": 16777216, "requirement": "R-083"},
  "cells": {"most": 16777216, "requirement": "R-084"},
  "figures": {"most": 16777216, "requirement": "R-086"},
  "rows": {"most": 16777216, "requirement": "R-088"},
  "components": {"most": 16777216, "requirement": "R-070"}
 },
 "root": {
  "kind": "group",
  "requirement": "R-001",
  "meaning": "the file",
  "dimensions": ["windows", "cells", "figures"],
  "attributes": {
   "format": {"type": "text", "requirement": "R-001", "values": ["ptoken-analysis"]},
   "version": {"type": "text", "requirement": "R-002"},
   "producer": {"type": "text", "requirement": "R-080"}
  },
  "objects": {
   "schema": {"kind": "json", "requirement": "R-015", "meaning": "this schema"},
   "run": {"kind": "json", "requirement": "R-081", "meaning": "the snapshot's run"},
   "provenance": {"kind": "json", "requirement": "R-081", "meaning": "what the figures came from"},
   "warnings": {"kind": "json", "requirement": "R-081", "meaning": "what to know before believing a figure"},
   "layers": {
    "kind": "group",
    "requirement": "R-082",
    "meaning": "gradient layers",
    "numbered": {
     "requirement": "R-082",
     "most": 65536,
     "objects": {
      "L": {
       "kind": "group",
       "requirement": "R-082",
       "meaning": "a layer",
       "attributes": {
        "name": {"type": "text", "requirement": "R-082"},
        "stage": {"type": "text", "requirement": "R-082"},
        "parameters": {"type": "uint64", "requirement": "R-082"},
        "width": {"type": "uint64", "requirement": "R-082"}
       }
      }
     }
    }
   },
   "windows": {
    "kind": "group",
    "requirement": "R-083",
    "meaning": "one row per window",
    "objects": {
     "table": {
      "kind": "dataset",
      "requirement": "R-083",
      "type": "uint32",
      "shape": ["windows"],
      "meaning": "number of the snapshot's table",
      "unit_requirement": "R-080"
     },
     "mode": {
      "kind": "dataset",
      "requirement": "R-083",
      "type": "uint8",
      "shape": ["windows"],
      "meaning": "0 probe, 1 trace",
      "unit_requirement": "R-080"
     },
     "first_step": {
      "kind": "dataset",
      "requirement": "R-083",
      "type": "int64",
      "shape": ["windows"],
      "meaning": "index of the first step",
      "unit_requirement": "R-080"
     },
     "last_step": {
      "kind": "dataset",
      "requirement": "R-083",
      "type": "int64",
      "shape": ["windows"],
      "meaning": "index of the last step",
      "unit_requirement": "R-080"
     },
     "epoch": {
      "kind": "dataset",
      "requirement": "R-083",
      "type": "float64",
      "shape": ["windows"],
      "meaning": "epochs at the first step",
      "attributes": {"unit": {"type": "text", "requirement": "R-080", "values": ["epochs"]}}
     },
     "loss": {
      "kind": "dataset",
      "requirement": "R-083",
      "type": "float64",
      "shape": ["windows"],
      "meaning": "mean loss",
      "unit_requirement": "R-080"
     },
     "rows": {
      "kind": "dataset",
      "requirement": "R-083",
      "type": "uint32",
      "shape": ["windows"],
      "meaning": "observations",
      "unit_requirement": "R-080"
     },
     "folds": {
      "kind": "dataset",
      "requirement": "R-083",
      "type": "uint32",
      "shape": ["windows"],
      "meaning": "folds",
      "unit_requirement": "R-080"
     },
     "candidates": {
      "kind": "dataset",
      "requirement": "R-083",
      "type": "uint32",
      "shape": ["windows"],
      "meaning": "records of a re-identification",
      "unit_requirement": "R-080"
     },
     "label_entropy": {
      "kind": "dataset",
      "requirement": "R-083",
      "type": "float64",
      "shape": ["windows"],
      "meaning": "entropy of the labels",
      "attributes": {"unit": {"type": "text", "requirement": "R-080", "values": ["nats"]}}
     },
     "label_chance": {
      "kind": "dataset",
      "requirement": "R-083",
      "type": "float64",
      "shape": ["windows"],
      "meaning": "share of the most frequent label",
      "attributes": {"unit": {"type": "text", "requirement": "R-080", "values": ["share"]}}
     }
    }
   },
   "cells": {
    "kind": "group",
    "requirement": "R-084",
    "meaning": "one row per cell",
    "objects": {
     "layer": {
      "kind": "dataset",
      "requirement": "R-084",
      "type": "uint32",
      "shape": ["cells"],
      "meaning": "layer",
      "unit_requirement": "R-080"
     },
     "window": {
      "kind": "dataset",
      "requirement": "R-084",
      "type": "uint32",
      "shape": ["cells"],
      "meaning": "window",
      "unit_requirement": "R-080"
     },
     "components": {
      "kind": "dataset",
      "requirement": "R-084",
      "type": "uint32",
      "shape": ["cells"],
      "meaning": "components of the token",
      "unit_requirement": "R-080"
     },
     "kept_variance": {
      "kind": "dataset",
      "requirement": "R-084",
      "type": "float64",
      "shape": ["cells"],
      "meaning": "variance that the token keeps",
      "attributes": {"unit": {"type": "text", "requirement": "R-080", "values": ["share"]}}
     }
    }
   },
   "estimates": {
    "kind": "group",
    "requirement": "R-086",
    "meaning": "one row per figure",
    "attributes": {
     "measures": {"type": "text", "requirement": "R-087"},
     "units": {"type": "text", "requirement": "R-087"},
     "kinds": {"type": "text", "requirement": "R-087"},
     "flags": {"type": "text", "requirement": "R-087"}
    },
    "objects": {
     "cell": {
      "kind": "dataset",
      "requirement": "R-086",
      "type": "uint32",
      "shape": ["figures"],
      "meaning": "cell",
      "unit_requirement": "R-080"
     },
     "measure": {
      "kind": "dataset",
      "requirement": "R-086",
      "type": "uint8",
      "shape": ["figures"],
      "meaning": "position in @measures",
      "unit_requirement": "R-080"
     },
     "value": {
      "kind": "dataset",
      "requirement": "R-086",
      "type": "float64",
      "shape": ["figures"],
      "meaning": "value",
      "unit_requirement": "R-080"
     },
     "standard_error": {
      "kind": "dataset",
      "requirement": "R-086",
      "type": "float64",
      "shape": ["figures"],
      "meaning": "standard error",
      "unit_requirement": "R-080"
     },
     "low": {
      "kind": "dataset",
      "requirement": "R-086",
      "type": "float64",
      "shape": ["figures"],
      "meaning": "low",
      "unit_requirement": "R-080"
     },
     "high": {
      "kind": "dataset",
      "requirement": "R-086",
      "type": "float64",
      "shape": ["figures"],
      "meaning": "high",
      "unit_requirement": "R-080"
     },
     "null_mean": {
      "kind": "dataset",
      "requirement": "R-086",
      "type": "float64",
      "shape": ["figures"],
      "meaning": "null mean",
      "unit_requirement": "R-080"
     },
     "null_deviation": {
      "kind": "dataset",
      "requirement": "R-086",
      "type": "float64",
      "shape": ["figures"],
      "meaning": "null deviation",
      "unit_requirement": "R-080"
     },
     "p": {
      "kind": "dataset",
      "requirement": "R-086",
      "type": "float64",
      "shape": ["figures"],
      "meaning": "p",
      "unit_requirement": "R-080"
     },
     "map_p": {
      "kind": "dataset",
      "requirement": "R-086",
      "type": "float64",
      "shape": ["figures"],
      "meaning": "map p",
      "unit_requirement": "R-080"
     },
     "ceiling": {
      "kind": "dataset",
      "requirement": "R-086",
      "type": "float64",
      "shape": ["figures"],
      "meaning": "ceiling",
      "unit_requirement": "R-080"
     },
     "rows": {
      "kind": "dataset",
      "requirement": "R-086",
      "type": "uint32",
      "shape": ["figures"],
      "meaning": "held-out rows",
      "unit_requirement": "R-080"
     },
     "flags": {
      "kind": "dataset",
      "requirement": "R-086",
      "type": "uint8",
      "shape": ["figures"],
      "meaning": "bits of @flags",
      "unit_requirement": "R-080"
     }
    }
   },
   "rows": {
    "kind": "group",
    "requirement": "R-088",
    "meaning": "one group per window",
    "numbered": {
     "requirement": "R-088",
     "most": 16777216,
     "objects": {
      "W": {
       "kind": "group",
       "requirement": "R-088",
       "meaning": "a window",
       "dimensions": ["rows"],
       "objects": {
        "record": {"kind": "dataset", "requirement": "R-088", "type": "uint8", "shape": ["rows", 16], "meaning": "record ids"},
        "step": {"kind": "dataset", "requirement": "R-088", "type": "int64", "shape": ["rows"], "meaning": "index of the step"},
        "fold": {"kind": "dataset", "requirement": "R-088", "type": "uint8", "shape": ["rows"], "meaning": "fold"}
       },
       "numbered": {
        "requirement": "R-088",
        "sparse": true,
        "most": 65536,
        "objects": {
         "L": {
          "kind": "group",
          "requirement": "R-088",
          "meaning": "a cell of the window",
          "objects": {
           "tokens": {
            "kind": "dataset",
            "requirement": "R-088",
            "type": "float32",
            "shape": ["rows", "*components"],
            "meaning": "token of each row"
           },
           "gaussian": {
            "kind": "dataset",
            "requirement": "R-088",
            "type": "float64",
            "shape": ["rows"],
            "meaning": "contribution of each row",
            "optional": true
           },
           "donsker_varadhan": {
            "kind": "dataset",
            "requirement": "R-088",
            "type": "float64",
            "shape": ["rows"],
            "meaning": "contribution of each row",
            "optional": true
           },
           "ksg": {
            "kind": "dataset",
            "requirement": "R-088",
            "type": "float64",
            "shape": ["rows"],
            "meaning": "contribution of each row",
            "optional": true
           },
           "label": {
            "kind": "dataset",
            "requirement": "R-088",
            "type": "float64",
            "shape": ["rows"],
            "meaning": "contribution of each row",
            "optional": true
           },
           "label_accuracy": {
            "kind": "dataset",
            "requirement": "R-088",
            "type": "float64",
            "shape": ["rows"],
            "meaning": "contribution of each row",
            "optional": true
           },
           "reidentification": {
            "kind": "dataset",
            "requirement": "R-088",
            "type": "float64",
            "shape": ["rows"],
            "meaning": "contribution of each row",
            "optional": true
           },
           "recoverable_variance": {
            "kind": "dataset",
            "requirement": "R-088",
            "type": "float64",
            "shape": ["rows"],
            "meaning": "contribution of each row",
            "optional": true
           }
          }
         }
        }
       }
      }
     }
    }
   }
  }
 }
}

"""#
}
