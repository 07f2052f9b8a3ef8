window.YTD.tweets.part0 = [
  {
    "tweet": {
      "edit_info": {
        "initial": {
          "editTweetIds": [
            "1974100000000000101"
          ]
        }
      },
      "id": "1974100000000000101",
      "id_str": "1974100000000000101",
      "created_at": "Sat Oct 03 08:15:00 +0000 2026",
      "full_text": "Vol annulé, aucune info à l’accueil, bagage égaré @AirParadis 😡",
      "lang": "fr",
      "entities": {
        "hashtags": []
      }
    }
  },
  {
    "tweet": {
      "edit_info": {
        "initial": {
          "editTweetIds": [
            "1974100000000000102"
          ]
        }
      },
      "id": "1974100000000000102",
      "id_str": "1974100000000000102",
      "created_at": "Sat Oct 03 08:20:30 +0000 2026",
      "full_text": "Two hours on the tarmac, no water, \"soon\" they say @AirParadis",
      "lang": "en",
      "entities": {
        "hashtags": []
      }
    }
  },
  {
    "tweet": {
      "edit_info": {
        "initial": {
          "editTweetIds": [
            "1974100000000000103"
          ]
        }
      },
      "id": "1974100000000000103",
      "id_str": "1974100000000000103",
      "created_at": "Sat Oct 03 08:31:11 +0000 2026",
      "full_text": "Does @AirParadis fly to Lisbon on Sundays?",
      "lang": "en",
      "entities": {
        "hashtags": []
      }
    }
  },
  {
    "tweet": {
      "edit_info": {
        "initial": {
          "editTweetIds": [
            "1974100000000000104"
          ]
        }
      },
      "id": "1974100000000000104",
      "id_str": "1974100000000000104",
      "created_at": "Sat Oct 03 08:47:59 +0000 2026",
      "full_text": "Merci à l’équipage du vol de ce soir, accueil parfait @AirParadis",
      "lang": "fr",
      "entities": {
        "hashtags": []
      }
    }
  }
]