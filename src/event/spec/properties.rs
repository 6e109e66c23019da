//! Properties of tracked events, pages and screens that belong to no industry, and those of one product.
//!
//! The keys are those of ecommerce v2. Properties of shops and of B2B products are in `ecommerce` and `b2b`. They are
//! setters of the same type, because one event may have keys of each.

use super::setters::setters;
use crate::event::Properties;

setters! { Properties, PROPERTIES:
    revenue: "revenue" "Money earned by what happened" number;
    currency: "currency" "Currency in ISO 4217, such as `USD`" text;
    value: "value" "What it is worth to you, where that is not revenue" number;
}

setters! { Properties, PAGE_PROPERTIES:
    name: "name" "Name of the page, screen, product or promotion" text;
    path: "path" "Path of the page's URL" text;
    referrer: "referrer" "URL of the page before" text;
    search: "search" "Query of the page's URL, with `?`" text;
    title: "title" "Title of the page, or of a user" text;
    url: "url" "URL of the page, or of the product's page" text;
    keywords: "keywords" "Keywords of the page" list;
}

setters! { Properties, PRODUCT_PROPERTIES:
    product_id: "product_id" "Id of the product in your database" id;
    sku: "sku" "Stock keeping unit of the product" id;
    category: "category" "Category of the page, list or product" text;
    brand: "brand" "Brand of the product" text;
    variant: "variant" "Variant of the product, such as its colour" text;
    price: "price" "Price of one" number;
    quantity: "quantity" "How many" number;
    coupon: "coupon" "Coupon for the product or order" text;
    position: "position" "Position of a product (a number) or of a promotion (a name)" any;
    image_url: "image_url" "URL of a picture of the product" text;
}
